"""Typed events of AWS sources, with AWS's field names in snake_case.

Annotate a handler's event with one of these types to get it decoded and validated:

```python
from pyl import Context, function
from pyl.events import SQSEvent


@function
def store(context: Context, event: SQSEvent) -> None:
    for record in event.records:
        print(record.message_id, record.json())
```

Events are frozen `msgspec` structs. Unknown fields are ignored, so events that AWS extends still fit. A field that AWS
always sends is required: without it, the error names the path of the missing field.

Times that AWS sends as ISO 8601 are `datetime`. Seconds and milliseconds stay numbers under AWS's name, and a property
returns the `datetime`: `sent_at`, `created_at`, `arrived_at`, `requested_at`.

`from pyl.events import SQSEvent` imports only the module of that source (PEP 562), so a function does not spend time on
the other sources.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyl.events.alb import ALBEvent
    from pyl.events.apigateway import APIGatewayEvent
    from pyl.events.authorizer import APIGatewayRequestAuthorizerEvent, APIGatewayTokenAuthorizerEvent
    from pyl.events.dynamodb import DynamoDBEvent, DynamoDBRecord, DynamoDBStreamRecord
    from pyl.events.eventbridge import EventBridgeEvent
    from pyl.events.functionurl import FunctionURLEvent
    from pyl.events.httpapi import HTTPAPIEvent
    from pyl.events.kinesis import KinesisEvent, KinesisPayload, KinesisRecord
    from pyl.events.s3 import S3Bucket, S3Entity, S3Event, S3Object, S3Record
    from pyl.events.ses import SESEvent, SESMail, SESReceipt, SESRecord
    from pyl.events.sns import SNSEvent, SNSMessage, SNSRecord
    from pyl.events.sqs import SQSEvent, SQSMessageAttribute, SQSRecord

__all__ = [
    "EVENTS",
    "ALBEvent",
    "APIGatewayEvent",
    "APIGatewayRequestAuthorizerEvent",
    "APIGatewayTokenAuthorizerEvent",
    "DynamoDBEvent",
    "DynamoDBRecord",
    "DynamoDBStreamRecord",
    "EventBridgeEvent",
    "FunctionURLEvent",
    "HTTPAPIEvent",
    "KinesisEvent",
    "KinesisPayload",
    "KinesisRecord",
    "S3Bucket",
    "S3Entity",
    "S3Event",
    "S3Object",
    "S3Record",
    "SESEvent",
    "SESMail",
    "SESReceipt",
    "SESRecord",
    "SNSEvent",
    "SNSMessage",
    "SNSRecord",
    "SQSEvent",
    "SQSMessageAttribute",
    "SQSRecord",
]

EVENTS = {
    "alb": "pyl.events.alb:ALBEvent",
    "apigateway": "pyl.events.apigateway:APIGatewayEvent",
    "dynamodb": "pyl.events.dynamodb:DynamoDBEvent",
    "eventbridge": "pyl.events.eventbridge:EventBridgeEvent",
    "functionurl": "pyl.events.functionurl:FunctionURLEvent",
    "httpapi": "pyl.events.httpapi:HTTPAPIEvent",
    "kinesis": "pyl.events.kinesis:KinesisEvent",
    "s3": "pyl.events.s3:S3Event",
    "ses": "pyl.events.ses:SESEvent",
    "sns": "pyl.events.sns:SNSEvent",
    "sqs": "pyl.events.sqs:SQSEvent",
}
"""Event type of each source (`module:class`), by the name of the source on the command line and among the samples."""

_MODULES = {
    "ALBEvent": "alb",
    "APIGatewayEvent": "apigateway",
    "APIGatewayRequestAuthorizerEvent": "authorizer",
    "APIGatewayTokenAuthorizerEvent": "authorizer",
    "DynamoDBEvent": "dynamodb",
    "DynamoDBRecord": "dynamodb",
    "DynamoDBStreamRecord": "dynamodb",
    "EventBridgeEvent": "eventbridge",
    "FunctionURLEvent": "functionurl",
    "HTTPAPIEvent": "httpapi",
    "KinesisEvent": "kinesis",
    "KinesisPayload": "kinesis",
    "KinesisRecord": "kinesis",
    "S3Bucket": "s3",
    "S3Entity": "s3",
    "S3Event": "s3",
    "S3Object": "s3",
    "S3Record": "s3",
    "SESEvent": "ses",
    "SESMail": "ses",
    "SESReceipt": "ses",
    "SESRecord": "ses",
    "SNSEvent": "sns",
    "SNSMessage": "sns",
    "SNSRecord": "sns",
    "SQSEvent": "sqs",
    "SQSMessageAttribute": "sqs",
    "SQSRecord": "sqs",
}


if not TYPE_CHECKING:  # a type checker would take every misspelt name for an `object`

    def __getattr__(name: str) -> object:
        module = _MODULES.get(name)
        if module is None:
            msg = f"module 'pyl.events' has no attribute {name!r}"
            raise AttributeError(msg)
        value: object = getattr(__import__(f"pyl.events.{module}", fromlist=(name,)), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
