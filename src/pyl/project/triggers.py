"""What invokes a function in AWS: `[[tool.pyl.functions.<name>.triggers]]`, once read.

Every kind of trigger is one frozen dataclass whose fields are its keys (`pyl.project.config.trigger_keys`).
A new kind is a class here, its keys there, its event in `pyl.project.trigger_rules`, and its resource in
`pyl.deploy.triggers`.

Names and ARNs stand as they were written: what they mean depends on the account and the region, which only
deployment knows. Patterns are JSON texts with sorted keys, so that equal ones are equal texts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

StartingPosition = Literal["LATEST", "TRIM_HORIZON"]


@dataclass(frozen=True, kw_only=True)
class _Trigger:
    """What all kinds have in common."""

    type: ClassVar[str]
    identity_fields: ClassVar[tuple[str, ...]]
    """A function has no two triggers of one type that are equal in these; the other fields can be changed."""

    index: int = field(default=0, compare=False)
    """Place in the array, for messages."""

    @property
    def identity(self) -> tuple[str, ...]:
        """What tells this trigger from the function's others, whatever else of it changes."""
        return (self.type, *(_text(getattr(self, name)) for name in self.identity_fields))


def _text(value: object) -> str:
    return "\n".join(value) if isinstance(value, tuple) else str(value or "")


@dataclass(frozen=True, kw_only=True)
class SQSTrigger(_Trigger):
    """Messages of a queue, polled by Lambda."""

    type = "sqs"
    identity_fields = ("queue",)

    queue: str
    batch_size: int = 10
    batch_window: int = 0
    maximum_concurrency: int | None = None
    partial_batch: bool | None = None
    """`None`: as the function answers, see `Function.partial_batch`."""
    filters: tuple[str, ...] = ()
    enabled: bool = True

    @property
    def source(self) -> str:
        """What the trigger listens to, as messages name it."""
        return f"queue {self.queue}"


@dataclass(frozen=True, kw_only=True)
class _StreamTrigger(_Trigger):
    """What Kinesis and DynamoDB streams have in common: shards, polled by Lambda in order."""

    starting_position: StartingPosition = "LATEST"
    batch_size: int = 100
    batch_window: int = 0
    parallelization: int = 1
    retries: int = -1
    """-1: until a record expires."""
    maximum_age: int = -1
    """Seconds; -1: no limit but the stream's own."""
    bisect: bool = False
    on_failure: str | None = None
    """ARN of a queue, a topic or a bucket that is told of records that are given up."""
    partial_batch: bool | None = None
    """`None`: as the function answers, see `Function.partial_batch`."""
    filters: tuple[str, ...] = ()
    enabled: bool = True


@dataclass(frozen=True, kw_only=True)
class DynamoDBTrigger(_StreamTrigger):
    """Changes of a table's items, from its stream."""

    type = "dynamodb"
    identity_fields = ("table",)

    table: str
    """Name of the table, or ARN of its stream."""

    @property
    def source(self) -> str:
        """What the trigger listens to, as messages name it."""
        return f"table {self.table}"


@dataclass(frozen=True, kw_only=True)
class KinesisTrigger(_StreamTrigger):
    """Records of a data stream."""

    type = "kinesis"
    identity_fields = ("stream",)

    stream: str

    @property
    def source(self) -> str:
        """What the trigger listens to, as messages name it."""
        return f"stream {self.stream}"


@dataclass(frozen=True, kw_only=True)
class S3Trigger(_Trigger):
    """Notifications of a bucket."""

    type = "s3"
    identity_fields = ("bucket", "events", "prefix", "suffix")

    bucket: str
    events: tuple[str, ...] = ("s3:ObjectCreated:*",)
    prefix: str = ""
    suffix: str = ""

    @property
    def source(self) -> str:
        """What the trigger listens to, as messages name it."""
        return f"bucket {self.bucket}"


@dataclass(frozen=True, kw_only=True)
class SNSTrigger(_Trigger):
    """Messages of a topic."""

    type = "sns"
    identity_fields = ("topic",)

    topic: str
    filter: str | None = None
    filter_scope: Literal["MessageAttributes", "MessageBody"] = "MessageAttributes"

    @property
    def source(self) -> str:
        """What the trigger listens to, as messages name it."""
        return f"topic {self.topic}"


@dataclass(frozen=True, kw_only=True)
class EventBridgeTrigger(_Trigger):
    """Events of a bus that match a pattern."""

    type = "eventbridge"
    identity_fields = ("bus", "pattern")

    pattern: str
    bus: str = "default"
    enabled: bool = True

    @property
    def source(self) -> str:
        """What the trigger listens to, as messages name it."""
        return f"event bus {self.bus}"


@dataclass(frozen=True, kw_only=True)
class ScheduleTrigger(_Trigger):
    """A rule of EventBridge that fires by the clock (UTC)."""

    type = "schedule"
    identity_fields = ("expression", "input")

    expression: str
    input: str | None = None
    """JSON that the function receives instead of EventBridge's own event."""
    enabled: bool = True

    @property
    def source(self) -> str:
        """What the trigger listens to, as messages name it."""
        return self.expression


@dataclass(frozen=True, kw_only=True)
class SESTrigger(_Trigger):
    """Received mail."""

    type = "ses"
    identity_fields = ("rule_set", "recipients")

    rule_set: str
    recipients: tuple[str, ...] = ()
    """Addresses and domains; none: all of the account's verified domains."""
    invocation: Literal["Event", "RequestResponse"] = "Event"
    scan: bool = True
    tls: Literal["Optional", "Require"] = "Optional"
    after: str | None = None
    """Name of the rule behind which this one stands; without it, it is the first one."""
    enabled: bool = True

    @property
    def source(self) -> str:
        """What the trigger listens to, as messages name it."""
        return f"receipt rule set {self.rule_set}"


@dataclass(frozen=True, kw_only=True)
class HTTPAPITrigger(_Trigger):
    """A route of an API Gateway HTTP API."""

    type = "httpapi"
    identity_fields = ("api", "route")

    route: str
    """`GET /orders/{id}`, `ANY /x`, or `$default`."""
    api: str | None = None
    """Name of the API, made where there is none; `None`: the project's name."""
    authorization: Literal["NONE", "AWS_IAM"] = "NONE"

    @property
    def source(self) -> str:
        """What the trigger listens to, as messages name it."""
        return f"route {self.route}"


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
"""Those whose records can fail one by one."""

TRIGGERS: dict[str, type[Trigger]] = {
    "dynamodb": DynamoDBTrigger,
    "eventbridge": EventBridgeTrigger,
    "httpapi": HTTPAPITrigger,
    "kinesis": KinesisTrigger,
    "s3": S3Trigger,
    "schedule": ScheduleTrigger,
    "ses": SESTrigger,
    "sns": SNSTrigger,
    "sqs": SQSTrigger,
}
"""Class by `type`."""
