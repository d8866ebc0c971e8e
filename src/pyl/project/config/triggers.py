"""What invokes a function in AWS: `[[tool.pyl.functions.<name>.triggers]]`.

Every type of trigger is a Struct. The fields with a description are its keys (see `pyl.project.config.keys`). To add a
type, add a class here, its event in `pyl.project.trigger_rules`, and its resource in `pyl.deploy.triggers`.

Names and ARNs are kept as written: what they mean depends on the account and the region, which only deployment knows.
Patterns are JSON texts with sorted keys, so that equal patterns are equal texts.

Bounds are those of AWS: https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, get_args

from msgspec import Meta, Struct

from pyl.project.config.keys import Kind, key

S3_EVENT = (
    r"^s3:(ObjectCreated:(\*|Put|Post|Copy|CompleteMultipartUpload)"
    r"|ObjectRemoved:(\*|Delete|DeleteMarkerCreated)"
    r"|ObjectRestore:(\*|Post|Completed|Delete)"
    r"|ObjectTagging:(\*|Put|Delete)"
    r"|ObjectAcl:Put"
    r"|LifecycleExpiration:(\*|Delete|DeleteMarkerCreated)"
    r"|LifecycleTransition|IntelligentTiering|ReducedRedundancyLostObject"
    r"|Replication:(\*|Operation(FailedReplication|NotTracked|MissedThreshold|ReplicatedAfterThreshold)))$"
)
"""https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html"""

_ARN = "arn:aws[a-z-]*"
_Queue = Annotated[
    str, Meta(pattern=rf"^([A-Za-z0-9_-]{{1,80}}(\.fifo)?|{_ARN}:sqs:[^:]+:[0-9]{{12}}:[A-Za-z0-9_.-]+)$")
]
_Table = Annotated[
    str, Meta(pattern=rf"^([A-Za-z0-9_.-]{{3,255}}|{_ARN}:dynamodb:[^:]+:[0-9]{{12}}:table/[^/]+/stream/.+)$")
]
_Stream = Annotated[str, Meta(pattern=rf"^([A-Za-z0-9_.-]{{1,128}}|{_ARN}:kinesis:[^:]+:[0-9]{{12}}:stream/.+)$")]
_Topic = Annotated[str, Meta(pattern=rf"^([A-Za-z0-9_-]{{1,256}}|{_ARN}:sns:[^:]+:[0-9]{{12}}:[A-Za-z0-9_-]+)$")]
_Destination = Annotated[str, Meta(pattern=rf"^{_ARN}:(sqs|sns|s3):.+$")]
_Bucket = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
_ObjectKey = Annotated[str, Meta(max_length=1024)]
_Bus = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_./-]{1,256}$")]
_Expression = Annotated[str, Meta(pattern=r"^(rate\([1-9][0-9]* (minute|hour|day)s?\)|cron\(\S+( \S+){5}\))$")]
_RuleName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9]([A-Za-z0-9_.-]{0,62}[A-Za-z0-9])?$")]
_Recipient = Annotated[str, Meta(pattern=r"^[^\s@]+(@[^\s@]+)?$")]
_Route = Annotated[str, Meta(pattern=r"^(\$default|(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|ANY) /\S*)$")]
_API = Annotated[str, Meta(max_length=128, pattern=r"^.*\S.*$")]
_Pattern = Annotated[str, Meta(extra={"kind": Kind.PATTERN})]
_JSON = Annotated[str, Meta(extra={"kind": Kind.JSON})]

Enabled = Annotated[bool, key("Whether it invokes the function.", True)]
BatchSize = Annotated[int, Meta(ge=1, le=10_000), key("Maximum number of records per invocation.", 100)]
BatchWindow = Annotated[int, Meta(ge=0, le=300), key("Seconds to gather a batch.", 5)]
Filters = Annotated[
    tuple[str, ...],
    Meta(max_length=10),
    key(
        "Patterns of records. Records that match none are dropped.", [{"body": {"kind": ["order"]}}], kind=Kind.PATTERNS
    ),
]
"""At most 10 for an event source mapping; more than 5 need a raised quota."""
PartialBatch = Annotated[
    bool | None,
    key(
        "Whether the function's result names the records that failed (`ReportBatchItemFailures`).",
        True,
        default="true if the function uses `pyl.batch`",
    ),
]
"""`None`: as the function answers, see `Function.partial_batch`."""


class _Trigger(Struct, frozen=True, kw_only=True):
    """What all types have in common."""

    type: ClassVar[str]
    identity_fields: ClassVar[tuple[str, ...]]
    """A function has no two triggers of one type that are equal in these; the other fields can be changed."""

    source_label: ClassVar[str]
    """Format of `source`, with the trigger as its only argument."""

    index: int = 0
    """Position in the array of tables, from 0, for messages."""

    @property
    def identity(self) -> tuple[str, ...]:
        """What distinguishes this trigger from the function's others, whatever else of it changes."""
        return (self.type, *(_text(getattr(self, name)) for name in self.identity_fields))

    @property
    def source(self) -> str:
        """What the trigger listens to, as messages name it."""
        return self.source_label.format(self)


def _text(value: object) -> str:
    return "\n".join(value) if isinstance(value, tuple) else str(value or "")


class SQSTrigger(_Trigger, frozen=True, kw_only=True):
    """Messages of a queue, polled by Lambda."""

    type = "sqs"
    identity_fields = ("queue",)
    source_label = "queue {0.queue}"

    queue: Annotated[_Queue, key("Name or ARN of the queue.", "orders")]
    batch_size: Annotated[
        BatchSize, key("Maximum number of messages per invocation; more than 10 need a `batch_window`.", 10)
    ] = 10
    batch_window: BatchWindow = 0
    maximum_concurrency: Annotated[
        Annotated[int, Meta(ge=2, le=1_000)] | None,
        key("Maximum number of concurrent invocations.", 5, default="the function's"),
    ] = None
    partial_batch: PartialBatch = None
    filters: Filters = ()
    enabled: Enabled = True


class _StreamTrigger(_Trigger, frozen=True, kw_only=True):
    """What Kinesis and DynamoDB streams have in common: shards, polled by Lambda in order."""

    starting_position: Annotated[
        Literal["LATEST", "TRIM_HORIZON"],
        key("Where reading begins: with new records, or with the oldest ones.", "LATEST"),
    ] = "LATEST"
    batch_size: BatchSize = 100
    batch_window: BatchWindow = 0
    parallelization: Annotated[int, Meta(ge=1, le=10), key("Batches of one shard that are handled at a time.", 2)] = 1
    retries: Annotated[
        int, Meta(ge=-1, le=10_000), key("How often a failed batch is retried; -1: until its records expire.", 3)
    ] = -1
    maximum_age: Annotated[
        int, Meta(ge=-1, le=604_800), key("Seconds after which records are given up, from 60; -1: never.", 3600)
    ] = -1
    bisect: Annotated[bool, key("Whether a failed batch is halved before it is retried.", True)] = False
    on_failure: Annotated[
        _Destination | None,
        key(
            "ARN of a queue, a topic or a bucket for notifications of records that are given up.",
            "arn:aws:sqs:eu-central-1:123456789012:given-up",
        ),
    ] = None
    partial_batch: PartialBatch = None
    filters: Filters = ()
    enabled: Enabled = True


class DynamoDBTrigger(_StreamTrigger, frozen=True, kw_only=True):
    """Changes of a table's items, from its stream."""

    type = "dynamodb"
    identity_fields = ("table",)
    source_label = "table {0.table}"

    table: Annotated[_Table, key("Name of the table, whose stream must be on, or ARN of the stream.", "Orders")]


class KinesisTrigger(_StreamTrigger, frozen=True, kw_only=True):
    """Records of a data stream."""

    type = "kinesis"
    identity_fields = ("stream",)
    source_label = "stream {0.stream}"

    stream: Annotated[_Stream, key("Name or ARN of the data stream.", "clicks")]


class S3Trigger(_Trigger, frozen=True, kw_only=True):
    """Notifications of a bucket."""

    type = "s3"
    identity_fields = ("bucket", "events", "prefix", "suffix")
    source_label = "bucket {0.bucket}"

    bucket: Annotated[_Bucket, key("Name of the bucket.", "example-scans")]
    events: Annotated[
        tuple[Annotated[str, Meta(pattern=S3_EVENT)], ...],
        key("Types of events.", ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]),
    ] = ("s3:ObjectCreated:*",)
    prefix: Annotated[_ObjectKey, key("How object keys begin.", "scans/")] = ""
    suffix: Annotated[_ObjectKey, key("How object keys end.", ".pdf")] = ""


class SNSTrigger(_Trigger, frozen=True, kw_only=True):
    """Messages of a topic."""

    type = "sns"
    identity_fields = ("topic",)
    source_label = "topic {0.topic}"

    topic: Annotated[_Topic, key("Name or ARN of the topic.", "orders")]
    filter: Annotated[_Pattern | None, key("Pattern of messages; others are not delivered.", {"kind": ["order"]})] = (
        None
    )
    filter_scope: Annotated[
        Literal["MessageAttributes", "MessageBody"], key("What the pattern is compared with.", "MessageBody")
    ] = "MessageAttributes"


class EventBridgeTrigger(_Trigger, frozen=True, kw_only=True):
    """Events of a bus that match a pattern."""

    type = "eventbridge"
    identity_fields = ("bus", "pattern")
    source_label = "event bus {0.bus}"

    pattern: Annotated[_Pattern, key("Pattern of events.", {"source": ["shop"], "detail-type": ["OrderPlaced"]})]
    bus: Annotated[_Bus, key("Name of the event bus.", "default")] = "default"
    enabled: Enabled = True


class ScheduleTrigger(_Trigger, frozen=True, kw_only=True):
    """A rule of EventBridge that runs on a schedule (UTC)."""

    type = "schedule"
    identity_fields = ("expression", "input")
    source_label = "{0.expression}"

    expression: Annotated[_Expression, key("`rate(...)` or `cron(...)`, in UTC.", "rate(5 minutes)")]
    input: Annotated[
        _JSON | None, key("What the function receives instead of EventBridge's own event.", {"job": "nightly"})
    ] = None
    enabled: Enabled = True


class SESTrigger(_Trigger, frozen=True, kw_only=True):
    """Received mail."""

    type = "ses"
    identity_fields = ("rule_set", "recipients")
    source_label = "receipt rule set {0.rule_set}"

    rule_set: Annotated[_RuleName, key("Name of the receipt rule set.", "inbound")]
    recipients: Annotated[
        tuple[_Recipient, ...],
        key("Addresses and domains; none: all of the account's verified domains.", ["support@example.org"]),
    ] = ()
    invocation: Annotated[
        Literal["Event", "RequestResponse"],
        key("Whether SES waits for the function's result (`RequestResponse`).", "RequestResponse"),
    ] = "Event"
    scan: Annotated[bool, key("Whether mail is scanned for spam and viruses.", True)] = True
    tls: Annotated[Literal["Optional", "Require"], key("Whether mail must arrive over TLS.", "Require")] = "Optional"
    after: Annotated[
        _RuleName | None,
        key(
            "Name of the rule after which this one is inserted when it is created.",
            "store",
            default="none: it is the first",
        ),
    ] = None
    enabled: Enabled = True


class HTTPAPITrigger(_Trigger, frozen=True, kw_only=True):
    """A route of an API Gateway HTTP API."""

    type = "httpapi"
    identity_fields = ("api", "route")
    source_label = "route {0.route}"

    route: Annotated[_Route, key("Method (or `ANY`) and path, or `$default`.", "GET /orders/{id}")]
    api: Annotated[
        _API | None,
        key("Name of the API, which is created if it does not exist.", "shop", default="the project's name"),
    ] = None
    authorization: Annotated[
        Literal["NONE", "AWS_IAM"], key("Whether callers must sign their requests.", "AWS_IAM")
    ] = "NONE"


Trigger = (
    SQSTrigger
    | DynamoDBTrigger
    | KinesisTrigger
    | S3Trigger
    | SNSTrigger
    | EventBridgeTrigger
    | ScheduleTrigger
    | SESTrigger
    | HTTPAPITrigger
)
BatchTrigger = SQSTrigger | DynamoDBTrigger | KinesisTrigger
"""Triggers whose records can fail one by one."""

TRIGGERS: dict[str, type[Trigger]] = {
    trigger.type: trigger for trigger in sorted(get_args(Trigger), key=lambda trigger: trigger.type)
}
"""Class by `type`."""
