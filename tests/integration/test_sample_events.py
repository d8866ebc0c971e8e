"""Every sample event, AWS's and pyl's own, arrives in its typed event with every value that its JSON has."""

from __future__ import annotations

import base64
import importlib
import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pyl.events import (
    EVENTS,
    ALBEvent,
    APIGatewayEvent,
    APIGatewayRequestAuthorizerEvent,
    APIGatewayTokenAuthorizerEvent,
    DynamoDBEvent,
    EventBridgeEvent,
    HTTPAPIEvent,
    KinesisEvent,
    S3Event,
    SESEvent,
    SNSEvent,
    SQSEvent,
    samples,
)

FOLDER = Path(__file__).parents[2] / ".tools" / "aws-sam-cli" / "samcli" / "lib" / "generated_sample_events"
needs_sam = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="needs the aws-sam-cli wheel in .tools/aws-sam-cli (make test puts it there)"
)

SAM_EVENTS: dict[tuple[str, str], type[msgspec.Struct]] = {
    ("alb", "request"): ALBEvent,
    ("apigateway", "authorizer"): APIGatewayTokenAuthorizerEvent,
    ("apigateway", "aws-proxy"): APIGatewayEvent,
    ("apigateway", "http-api-proxy"): HTTPAPIEvent,
    ("apigateway", "request-authorizer"): APIGatewayRequestAuthorizerEvent,
    ("cloudwatch", "scheduled-event"): EventBridgeEvent,
    ("dynamodb", "update"): DynamoDBEvent,
    ("kinesis", "get-records"): KinesisEvent,
    ("s3", "delete"): S3Event,
    ("s3", "put"): S3Event,
    ("ses", "email-receiving"): SESEvent,
    ("sns", "notification"): SNSEvent,
    ("sqs", "receive-message"): SQSEvent,
}
OTHER_SERVICES = {
    ("cloudwatch", "logs"),  # CloudWatch Logs
    ("s3", "batch-invocation"),  # S3 Batch Operations
    ("kinesis", "analytics"),  # Managed Service for Apache Flink, and Firehose
    ("kinesis", "analytics-compressed"),
    ("kinesis", "analytics-dynamodb"),
    ("kinesis", "analytics-kpl"),
    ("kinesis", "apachelog"),
    ("kinesis", "cloudwatch-logs-processor"),
    ("kinesis", "kinesis-firehose"),
    ("kinesis", "streams-as-source"),
    ("kinesis", "syslog"),
}


def mapping() -> dict[str, dict[str, Any]]:
    read: dict[str, dict[str, Any]] = json.loads((FOLDER / "event-mapping.json").read_text())
    return read


def render(service: str, event: str) -> Any:
    """What `sam local generate-event SERVICE EVENT` prints, made as its `Events.generate_event` makes it."""
    entry = mapping()[service][event]
    values: dict[str, str] = {}
    objects: dict[str, Any] = {}
    for tag, properties in entry["tags"].items():
        value = properties["default"]
        if properties.get("encoding") == "base64":
            value = base64.b64encode(value.encode()).decode()
        if properties.get("type") == "dict":
            objects["{{{" + tag + "}}}"] = json.loads(value)
        values[tag.replace("-", "_")] = value

    def fill(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: fill(value) for key, value in node.items()}
        if isinstance(node, list):
            return [fill(value) for value in node]
        if isinstance(node, str):
            if node in objects:
                return objects[node]
            return re.sub(r"{{{(\w+)}}}", lambda match: values.get(match[1], ""), node)
        return node

    return fill(json.loads((FOLDER / "events" / service / f"{entry['filename']}.json").read_text()))


def differences(typed: Any, raw: Any, path: str = "$") -> Iterator[str]:
    """Where the typed event does not hold what the JSON does."""
    if not isinstance(raw, dict | list):
        if typed != expected(typed, raw):
            yield f"{path}: {typed!r} instead of {raw!r}"
        return
    left, right = members(typed, raw), members(raw, raw)
    for key in left.keys() ^ right.keys():
        yield f"{path}.{key}: not on both sides"
    for key in left.keys() & right.keys():
        yield from differences(left[key], right[key], f"{path}.{key}")


def members(node: Any, raw: Any) -> dict[Any, Any]:
    """What is below a node, by its name in JSON; of a struct, only what the JSON gave it."""
    if isinstance(node, msgspec.Struct):
        names = zip(node.__struct_encode_fields__, node.__struct_fields__, strict=True)
        return {key: getattr(node, name) for key, name in names if key in raw}
    return node if isinstance(node, dict) else dict(enumerate(node))


def expected(typed: Any, raw: Any) -> Any:
    """The leaf as the two types that JSON lacks."""
    if isinstance(typed, datetime):
        return datetime.fromisoformat(raw)
    if isinstance(typed, bytes):
        return base64.b64decode(raw)
    return raw


def event_type(source: str) -> Any:
    module, _, name = EVENTS[source].partition(":")
    return getattr(importlib.import_module(module), name)


@needs_sam
@pytest.mark.parametrize("service, event", SAM_EVENTS)  # noqa: PT006 - one argument per column
def test_every_value_of_an_aws_sample_arrives_however_it_is_decoded(service: str, event: str) -> None:
    raw = render(service, event)
    kind = SAM_EVENTS[service, event]
    decoded = msgspec.json.decode(json.dumps(raw), type=kind)
    assert list(differences(decoded, raw)) == []
    assert msgspec.convert(raw, kind) == decoded


@needs_sam
def test_no_aws_sample_of_a_supported_service_is_left_out() -> None:
    services = {service for service, _ in SAM_EVENTS}
    known = {(service, event) for service in services for event in mapping()[service]}
    assert known == SAM_EVENTS.keys() | OTHER_SERVICES


@pytest.mark.parametrize("source", samples.names())
def test_every_value_of_a_bundled_sample_arrives(source: str) -> None:
    raw = samples.load(source)
    decoded = msgspec.json.decode(raw, type=event_type(source))
    assert list(differences(decoded, json.loads(raw))) == []


def test_the_comparison_notices_a_value_that_differs_and_one_without_a_field() -> None:
    raw = json.loads(samples.load("kinesis"))
    typed = msgspec.convert(raw, KinesisEvent)
    raw["Records"][0]["kinesis"]["data"] = "AAAA"
    raw["Records"][1]["unheardOf"] = 1
    assert [difference.partition(":")[0] for difference in differences(typed, raw)] == [
        "$.Records.0.kinesis.data",
        "$.Records.1.unheardOf",
    ]


def arrived(service: str, event: str) -> Any:
    return msgspec.convert(render(service, event), SAM_EVENTS[service, event])


@needs_sam
def test_the_sqs_sample_says_hello() -> None:
    [record] = arrived("sqs", "receive-message").records
    assert record.body == "Hello from SQS!"
    assert record.event_source_arn == "arn:aws:sqs:us-east-1:123456789012:MyQueue"
    assert record.receive_count == 1
    assert record.sent_at.isoformat() == "2018-04-09T00:00:00+00:00"


@needs_sam
def test_the_s3_samples_put_and_delete_an_object() -> None:
    [put] = arrived("s3", "put").records
    [deleted] = arrived("s3", "delete").records
    assert (put.s3.bucket.name, put.s3.object.key, put.s3.object.size) == ("example-bucket", "test/key", 1024)
    assert put.event_time.year == 1970
    assert (deleted.event_name, deleted.s3.object.size) == ("ObjectRemoved:Delete", None)


@needs_sam
def test_the_dynamodb_sample_inserts_modifies_and_removes() -> None:
    inserted, modified, removed = arrived("dynamodb", "update").records
    assert inserted.dynamodb.new_item == {"Message": "New item!", "Id": 101}
    assert inserted.dynamodb.old_item is None
    assert modified.dynamodb.old_item["Message"] == "New item!"
    assert removed.dynamodb.new_image is None
    assert removed.event_name == "REMOVE"


@needs_sam
def test_the_ses_sample_is_a_mail_to_john() -> None:
    [record] = arrived("ses", "email-receiving").records
    assert record.ses.mail.common_headers.to == ["johndoe@example.com"]
    assert record.ses.mail.header("content-type") == "text/plain; charset=UTF-8"
    assert record.ses.receipt.spam_verdict.status == "PASS"


@needs_sam
def test_the_api_gateway_samples_carry_a_request() -> None:
    rest = arrived("apigateway", "aws-proxy")
    http = arrived("apigateway", "http-api-proxy")
    assert rest.json() == {"test": "body"}
    assert rest.header("user-agent") == "Custom User Agent String"
    assert rest.query("foo") == "bar"
    assert rest.path_parameter("proxy") == "/path/to/resource"
    assert rest.request_context.identity.source_ip == "127.0.0.1"
    assert http.json() == {"test": "body"}
    assert http.request_context.http.method == "POST"
    assert http.query_values("parameter1") == ["value1", "value2"]
    assert http.request_context.authorizer.jwt.scopes == ["scope1", "scope2"]
    assert http.request_context.authentication.client_cert.subject_dn == "www.example.com"


@needs_sam
def test_the_authorizer_samples_carry_a_token_and_a_request() -> None:
    token = arrived("apigateway", "authorizer")
    request = arrived("apigateway", "request-authorizer")
    assert token.authorization_token == "incoming-client-token"
    assert request.header("headerauth1") == "headerValue1"
    assert request.request_context.identity.client_cert.validity.not_before == "May 28 12:30:02 2019 GMT"


@needs_sam
def test_the_other_samples_carry_their_payload() -> None:
    [notification] = arrived("sns", "notification").records
    [click] = arrived("kinesis", "get-records").records
    assert notification.sns.message == "example message"
    assert notification.sns.message_attributes["TestBinary"].type == "Binary"
    assert click.kinesis.data == b"Hello, this is a test 123."
    assert arrived("cloudwatch", "scheduled-event").detail_type == "Scheduled Event"
    assert arrived("alb", "request").json() == {"test": "body"}
