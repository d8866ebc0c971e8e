"""The keys of each kind of trigger as data; their names are the fields of the classes in `pyl.project.triggers`.

Bounds are those of AWS: https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pyl.project.config.keys import Key, Kind, Problem
from pyl.project.config.patterns import canonical, pattern_mistake
from pyl.project.config.pyproject import nearest
from pyl.project.diagnostics import Code

FILTER_LIMIT = 10
"""Filters of an event source mapping; more than 5 need a raised quota."""


@dataclass(frozen=True, kw_only=True)
class TriggerKey(Key):
    """A key of a trigger: some are required, some hold JSON."""

    required: bool = False

    def problem(self, value: object) -> Problem | None:
        """What is wrong with a value, if anything."""
        match self.kind:
            case Kind.JSON | Kind.PATTERN:
                return self._json_problem(value)
            case Kind.PATTERNS:
                return self._patterns_problem(value)
            case _:
                return super().problem(value)

    def _patterns_problem(self, value: object) -> Problem | None:
        if not isinstance(value, list):
            return self._type_problem(value)
        if len(value) > FILTER_LIMIT:
            message = f"`{self.name}` has {len(value)} patterns; Lambda takes {FILTER_LIMIT}"
            return Problem(Code.VALUE_RANGE, message, "join some with `$or`, or with several values of a field")
        problems = (
            replace(found, inner=index) for index, item in enumerate(value) if (found := self._json_problem(item))
        )
        return next(problems, None)

    def _json_problem(self, value: object) -> Problem | None:
        if self.kind is not Kind.JSON and not isinstance(value, (str, Mapping)):
            return self._type_problem(value)
        hint = f"write {self.name} = {self.example}"
        try:
            text = canonical(value)
        except ValueError as error:
            return Problem(Code.VALUE_RANGE, f"`{self.name}` is not JSON: {error}", hint)
        mistake = None if self.kind is Kind.JSON else pattern_mistake(text)
        return Problem(Code.VALUE_RANGE, f"`{self.name}` is no pattern: {mistake}", hint) if mistake else None


def _arn(service: str, resource: str) -> str:
    return rf"arn:aws[a-z-]*:{service}:{resource}"


_ENABLED = TriggerKey(
    name="enabled", kind=Kind.BOOLEAN, meaning="Whether it invokes the function.", default="true", example="true"
)
_FILTERS = TriggerKey(
    name="filters",
    kind=Kind.PATTERNS,
    meaning="Patterns of records; what matches none is dropped.",
    default="[]",
    example='[{ body = { kind = ["order"] } }]',
)
_PARTIAL_BATCH = TriggerKey(
    name="partial_batch",
    kind=Kind.BOOLEAN,
    meaning="Whether the function's answer names the records that failed (`ReportBatchItemFailures`).",
    default="true if the function uses `pyl.batch`",
    example="true",
)
_BATCH_WINDOW = TriggerKey(
    name="batch_window",
    kind=Kind.INTEGER,
    meaning="Seconds to gather a batch.",
    default="0",
    maximum=300,
    example="5",
)
_STREAM_KEYS: tuple[TriggerKey, ...] = (
    TriggerKey(
        name="starting_position",
        kind=Kind.STRING,
        meaning="Where reading begins: with what comes, or with the oldest that is kept.",
        default='"LATEST"',
        choices=("LATEST", "TRIM_HORIZON"),
        example='"LATEST"',
    ),
    TriggerKey(
        name="batch_size",
        kind=Kind.INTEGER,
        meaning="Records at most per invocation.",
        default="100",
        minimum=1,
        maximum=10_000,
        example="100",
    ),
    _BATCH_WINDOW,
    TriggerKey(
        name="parallelization",
        kind=Kind.INTEGER,
        meaning="Batches of one shard that are handled at a time.",
        default="1",
        minimum=1,
        maximum=10,
        example="2",
    ),
    TriggerKey(
        name="retries",
        kind=Kind.INTEGER,
        meaning="How often a failed batch is tried again; -1: until its records expire.",
        default="-1",
        minimum=-1,
        maximum=10_000,
        example="3",
    ),
    TriggerKey(
        name="maximum_age",
        kind=Kind.INTEGER,
        meaning="Seconds after which records are given up, from 60; -1: never.",
        default="-1",
        minimum=-1,
        maximum=604_800,
        example="3600",
    ),
    TriggerKey(
        name="bisect",
        kind=Kind.BOOLEAN,
        meaning="Whether a failed batch is halved before it is tried again.",
        default="false",
        example="true",
    ),
    TriggerKey(
        name="on_failure",
        kind=Kind.STRING,
        meaning="ARN of a queue, a topic or a bucket that is told of records that are given up.",
        pattern=r"arn:aws[a-z-]*:(sqs|sns|s3):.+",
        example='"arn:aws:sqs:eu-central-1:123456789012:given-up"',
    ),
    _PARTIAL_BATCH,
    _FILTERS,
    _ENABLED,
)

_SQS = (
    TriggerKey(
        name="queue",
        kind=Kind.STRING,
        meaning="Name or ARN of the queue.",
        pattern=rf"[A-Za-z0-9_-]{{1,80}}(\.fifo)?|{_arn('sqs', '[^:]+:[0-9]{12}:[A-Za-z0-9_.-]+')}",
        example='"orders"',
        required=True,
    ),
    TriggerKey(
        name="batch_size",
        kind=Kind.INTEGER,
        meaning="Messages at most per invocation; more than 10 need a `batch_window`.",
        default="10",
        minimum=1,
        maximum=10_000,
        example="10",
    ),
    _BATCH_WINDOW,
    TriggerKey(
        name="maximum_concurrency",
        kind=Kind.INTEGER,
        meaning="Invocations at most at a time.",
        default="the function's",
        minimum=2,
        maximum=1_000,
        example="5",
    ),
    _PARTIAL_BATCH,
    _FILTERS,
    _ENABLED,
)
_DYNAMODB = (
    TriggerKey(
        name="table",
        kind=Kind.STRING,
        meaning="Name of the table, whose stream must be on, or ARN of the stream.",
        pattern=rf"[A-Za-z0-9_.-]{{3,255}}|{_arn('dynamodb', '[^:]+:[0-9]{12}:table/[^/]+/stream/.+')}",
        example='"Orders"',
        required=True,
    ),
    *_STREAM_KEYS,
)
_KINESIS = (
    TriggerKey(
        name="stream",
        kind=Kind.STRING,
        meaning="Name or ARN of the data stream.",
        pattern=rf"[A-Za-z0-9_.-]{{1,128}}|{_arn('kinesis', '[^:]+:[0-9]{12}:stream/.+')}",
        example='"clicks"',
        required=True,
    ),
    *_STREAM_KEYS,
)
_S3_EVENT = (
    r"s3:(ObjectCreated:(\*|Put|Post|Copy|CompleteMultipartUpload)"
    r"|ObjectRemoved:(\*|Delete|DeleteMarkerCreated)"
    r"|ObjectRestore:(\*|Post|Completed|Delete)"
    r"|ObjectTagging:(\*|Put|Delete)"
    r"|ObjectAcl:Put"
    r"|LifecycleExpiration:(\*|Delete|DeleteMarkerCreated)"
    r"|LifecycleTransition|IntelligentTiering|ReducedRedundancyLostObject"
    r"|Replication:(\*|Operation(FailedReplication|NotTracked|MissedThreshold|ReplicatedAfterThreshold)))"
)
"""https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html"""
_S3 = (
    TriggerKey(
        name="bucket",
        kind=Kind.STRING,
        meaning="Name of the bucket.",
        pattern=r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
        example='"example-scans"',
        required=True,
    ),
    TriggerKey(
        name="events",
        kind=Kind.STRINGS,
        meaning="What is told of.",
        default='["s3:ObjectCreated:*"]',
        pattern=_S3_EVENT,
        example='["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]',
    ),
    TriggerKey(name="prefix", kind=Kind.STRING, meaning="How keys begin.", maximum=1024, example='"scans/"'),
    TriggerKey(name="suffix", kind=Kind.STRING, meaning="How keys end.", maximum=1024, example='".pdf"'),
)
_SNS = (
    TriggerKey(
        name="topic",
        kind=Kind.STRING,
        meaning="Name or ARN of the topic.",
        pattern=rf"[A-Za-z0-9_-]{{1,256}}|{_arn('sns', '[^:]+:[0-9]{12}:[A-Za-z0-9_-]+')}",
        example='"orders"',
        required=True,
    ),
    TriggerKey(
        name="filter",
        kind=Kind.PATTERN,
        meaning="Pattern of messages; others are not delivered.",
        example='{ kind = ["order"] }',
    ),
    TriggerKey(
        name="filter_scope",
        kind=Kind.STRING,
        meaning="What the pattern is held against.",
        default='"MessageAttributes"',
        choices=("MessageAttributes", "MessageBody"),
        example='"MessageBody"',
    ),
)
_EVENTBRIDGE = (
    TriggerKey(
        name="pattern",
        kind=Kind.PATTERN,
        meaning="Pattern of events.",
        example='{ source = ["shop"], detail-type = ["OrderPlaced"] }',
        required=True,
    ),
    TriggerKey(
        name="bus",
        kind=Kind.STRING,
        meaning="Name of the event bus.",
        default='"default"',
        pattern=r"[A-Za-z0-9_./-]{1,256}",
        example='"default"',
    ),
    _ENABLED,
)
_SCHEDULE = (
    TriggerKey(
        name="expression",
        kind=Kind.STRING,
        meaning="`rate(...)` or `cron(...)`, in UTC.",
        pattern=r"rate\([1-9][0-9]* (minute|hour|day)s?\)|cron\(\S+( \S+){5}\)",
        example='"rate(5 minutes)"',
        required=True,
    ),
    TriggerKey(
        name="input",
        kind=Kind.JSON,
        meaning="What the function receives instead of EventBridge's own event.",
        example='{ job = "nightly" }',
    ),
    _ENABLED,
)
_RULE_NAME = r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,62}[A-Za-z0-9])?"
_SES = (
    TriggerKey(
        name="rule_set",
        kind=Kind.STRING,
        meaning="Name of the receipt rule set.",
        pattern=_RULE_NAME,
        example='"inbound"',
        required=True,
    ),
    TriggerKey(
        name="recipients",
        kind=Kind.STRINGS,
        meaning="Addresses and domains; none: all of the account's verified ones.",
        default="[]",
        pattern=r"[^\s@]+(@[^\s@]+)?",
        example='["support@example.org"]',
    ),
    TriggerKey(
        name="invocation",
        kind=Kind.STRING,
        meaning="Whether SES waits for the function's answer (`RequestResponse`).",
        default='"Event"',
        choices=("Event", "RequestResponse"),
        example='"RequestResponse"',
    ),
    TriggerKey(
        name="scan",
        kind=Kind.BOOLEAN,
        meaning="Whether mail is scanned for spam and viruses.",
        default="true",
        example="true",
    ),
    TriggerKey(
        name="tls",
        kind=Kind.STRING,
        meaning="Whether mail must come by TLS.",
        default='"Optional"',
        choices=("Optional", "Require"),
        example='"Require"',
    ),
    TriggerKey(
        name="after",
        kind=Kind.STRING,
        meaning="Name of the rule behind which this one is put when it is made.",
        default="none: it is the first",
        pattern=_RULE_NAME,
        example='"store"',
    ),
    _ENABLED,
)
_HTTPAPI = (
    TriggerKey(
        name="route",
        kind=Kind.STRING,
        meaning="Method (or `ANY`) and path, or `$default`.",
        pattern=r"\$default|(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|ANY) /\S*",
        example='"GET /orders/{id}"',
        required=True,
    ),
    TriggerKey(
        name="api",
        kind=Kind.STRING,
        meaning="Name of the API, made where there is none.",
        default="the project's name",
        maximum=128,
        pattern=r".*\S.*",
        example='"shop"',
    ),
    TriggerKey(
        name="authorization",
        kind=Kind.STRING,
        meaning="Whether callers must sign their requests.",
        default='"NONE"',
        choices=("NONE", "AWS_IAM"),
        example='"AWS_IAM"',
    ),
)

TRIGGER_KEYS: Mapping[str, tuple[TriggerKey, ...]] = {
    "dynamodb": _DYNAMODB,
    "eventbridge": _EVENTBRIDGE,
    "httpapi": _HTTPAPI,
    "kinesis": _KINESIS,
    "s3": _S3,
    "schedule": _SCHEDULE,
    "ses": _SES,
    "sns": _SNS,
    "sqs": _SQS,
}
"""Keys by `type`, which is a key of all of them."""


@dataclass(frozen=True, kw_only=True)
class _TypeKey(TriggerKey):
    """The key that says which the others are."""

    def problem(self, value: object) -> Problem | None:
        """What is wrong with a value, and which was probably meant."""
        found = super().problem(value)
        meant = nearest(value, self.choices) if isinstance(value, str) else None
        return replace(found, hint=f'did you mean "{meant}"?') if found and meant else found


TYPE_KEY = _TypeKey(
    name="type",
    kind=Kind.STRING,
    meaning="Kind of the trigger.",
    choices=tuple(TRIGGER_KEYS),
    example='"sqs"',
    required=True,
)
