"""Whatever call fails while a trigger is made or taken away: the next run converges, and nothing is there twice.

Each writing call fails in turn, in two ways: credentials expire at it, so that it and all after it are refused; or it
is carried out, and its answer is lost.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from integration.deploy.local_aws import CREDENTIALS, EXPIRED, LOST_ANSWER, Call, Fault, LocalAWS
from integration.deploy.triggers.conftest import Wiring, deployed_function
from integration.deploy.triggers.test_push import BUCKET, EVENTS, MAIL, ROUTE, TOPIC
from pyl.deploy.aws import AWS
from pyl.errors import AWSError

TRIGGERS = {
    "sqs": 'type = "sqs"\nqueue = "orders"',
    "s3": BUCKET,
    "sns": TOPIC,
    "eventbridge": EVENTS,
    "ses": MAIL,
    "httpapi": ROUTE,
}
"""One of each kind of resource: streams are mapped as queues are, schedules are rules as well."""


@pytest.fixture(scope="module")
def _impatient(_local_aws: LocalAWS) -> AWS:
    session = boto3.Session(CREDENTIALS["AWS_ACCESS_KEY_ID"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"])
    return AWS(session=session, region="us-east-1", endpoint=_local_aws.url, attempts=1, pause=lambda _: None)


@pytest.fixture
def impatient(_impatient: AWS, local_aws: LocalAWS, tmp_path: Path) -> Wiring:
    """A project through clients that try each call only twice."""
    assert _impatient.account  # asked for once, so that every run makes the same calls
    return Wiring(tmp_path, _impatient, local_aws)


def begin(wiring: Wiring) -> None:
    """An AWS with the function and every source."""
    wiring.local.forget()
    deployed_function(wiring.aws)
    client = wiring.aws.client
    client("sqs").create_queue(QueueName="orders")
    client("s3").create_bucket(Bucket="example-scans")
    client("sns").create_topic(Name="orders")
    client("ses").create_receipt_rule_set(RuleSetName="inbound")
    wiring.local.calm()


def snapshot(aws: AWS) -> dict[str, Any]:
    """All wiring that there is, without the names that AWS gives."""
    client = aws.client
    apis = {api["ApiId"]: api["Name"] for api in client("apigatewayv2").get_apis()["Items"]}
    rules = client("events").list_rules()["Rules"]
    mappings = client("lambda").list_event_source_mappings()["EventSourceMappings"]
    kept = ("EventSourceArn", "FunctionArn", "BatchSize", "State", "MaximumRetryAttempts")
    text = json.dumps(
        {
            "policy": sorted(_policy(client("lambda"))),
            "mappings": [{key: mapping.get(key) for key in kept} for mapping in mappings],
            "notifications": client("s3")
            .get_bucket_notification_configuration(Bucket="example-scans")
            .get("LambdaFunctionConfigurations"),
            "subscriptions": [each["Endpoint"] for each in client("sns").list_subscriptions()["Subscriptions"]],
            "rules": [[rule, client("events").list_targets_by_rule(Rule=rule["Name"])["Targets"]] for rule in rules],
            "receipt_rules": client("ses").describe_receipt_rule_set(RuleSetName="inbound")["Rules"],
            "apis": list(apis.values()),
            "routes": [
                [
                    [route["RouteKey"] for route in client("apigatewayv2").get_routes(ApiId=api)["Items"]],
                    [stage["StageName"] for stage in client("apigatewayv2").get_stages(ApiId=api)["Items"]],
                    len(client("apigatewayv2").get_integrations(ApiId=api)["Items"]),
                ]
                for api in apis
            ],
        },
        sort_keys=True,
    )
    for identifier, name in apis.items():
        text = text.replace(identifier, name)
    state: dict[str, Any] = json.loads(text)
    return state


def _policy(client: Any) -> Iterator[str]:
    try:
        policy = json.loads(client.get_policy(FunctionName="fulfil")["Policy"])
    except client.exceptions.ResourceNotFoundException:
        return
    yield from (json.dumps([each["Principal"], each["Condition"]]) for each in policy["Statement"])


def failing(fault: Fault, number: int, written: list[Call]) -> Any:
    """Fails the write of this number: with a lost answer only that, else all calls from there on."""

    def decide(call: Call, _index: int) -> Fault | None:
        if call.is_write:
            written.append(call)
        if fault is LOST_ANSWER:
            return fault if call.is_write and len(written) == number + 1 else None
        return fault if len(written) > number else None

    return decide


@pytest.mark.parametrize("fault", [EXPIRED, LOST_ANSWER], ids=["expired", "lost"])
@pytest.mark.parametrize("phase", ["make", "take-away"])
@pytest.mark.parametrize("kind", sorted(TRIGGERS))
def test_a_run_after_any_failure_converges(impatient: Wiring, kind: str, phase: str, fault: Fault) -> None:
    before, after = ((), (TRIGGERS[kind],)) if phase == "make" else ((TRIGGERS[kind],), ())

    def prepare() -> None:
        begin(impatient)
        if before:
            impatient.deploy(*before)

    prepare()
    impatient.local.calls.clear()
    impatient.plan(*after)
    assert impatient.local.writes == []
    impatient.deploy(*after)
    wanted = snapshot(impatient.aws)

    number, is_over = 0, False
    while not is_over:
        prepare()
        written: list[Call] = []
        impatient.local.decide = failing(fault, number, written)
        with contextlib.suppress(AWSError):
            impatient.deploy(*after)
        is_over = len(written) <= number
        impatient.local.calm()
        impatient.deploy(*after)
        assert snapshot(impatient.aws) == wanted, f"after {written[number] if not is_over else 'no fault'}"
        number += 1
    assert number > 1
