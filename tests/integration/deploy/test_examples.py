"""The examples, deployed with their triggers to a local AWS: found there, unchanged by a second time, deleted again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from integration.deploy.local_aws import LocalAWS, run_here
from integration.projects import EXAMPLES, copy_example

ACCOUNT = "123456789012"
REGION = "us-east-1"
NAMES = sorted(file.parent.name for file in EXAMPLES.glob("*/pyproject.toml"))

SOURCES: dict[str, Callable[[LocalAWS], Any]] = {
    "sqs": lambda aws: [aws.client("sqs", REGION).create_queue(QueueName=name) for name in ("notices", "orders")],
    "s3": lambda aws: aws.client("s3", REGION).create_bucket(Bucket="example-scans"),
    "dynamodb": lambda aws: aws.client("dynamodb", REGION).create_table(
        TableName="Orders",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    ),
    "ses": lambda aws: aws.client("ses", REGION).create_receipt_rule_set(RuleSetName="inbound"),
}
"""What each example's README makes before it deploys."""

TRIGGERS: dict[str, dict[str, list[str]]] = {
    "apigateway": {"shop": ["httpapi", "httpapi"]},
    "dynamodb": {"audit": ["dynamodb table/Orders"]},
    "hello": {"context": [], "hello": []},
    "orders": {"order": []},
    "s3": {"index": ["s3 example-scans"]},
    "ses": {"gatekeeper": ["ses receipt-rule-set/inbound:receipt-rule"]},
    "sqs": {"fulfil": ["sqs orders"], "notify": ["sqs notices"]},
}
"""What `pyl list` tells of each function's triggers: how each begins."""


def run(local_aws: LocalAWS, command: str, project: Path, *options: str) -> Any:
    variables = local_aws.environment | {"AWS_REGION": REGION}
    return run_here(command, "--project", project, "--json", *options, **variables).succeeded().json


def test_every_example_is_deployed() -> None:
    assert list(TRIGGERS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_deployed_with_its_triggers_and_deleted_again(
    local_aws: LocalAWS, tmp_path: Path, name: str
) -> None:
    if name in SOURCES:
        SOURCES[name](local_aws)
    project = copy_example(name, tmp_path)

    made = run(local_aws, "deploy", project, "--yes")
    assert [function["function"] for function in made["functions"]] == list(TRIGGERS[name])

    listed = {row["function"]: row for row in run(local_aws, "list", project)}
    assert list(listed) == list(TRIGGERS[name])
    for function, beginnings in TRIGGERS[name].items():
        assert len(listed[function]["triggers"]) == len(beginnings)
        for trigger, beginning in zip(listed[function]["triggers"], beginnings, strict=True):
            assert trigger.startswith(beginning)

    local_aws.calls.clear()
    package = project / "build" / "pyl" / "interpreted.zip"
    again = run(local_aws, "deploy", project, "--yes", "--package", str(package))
    assert {action["action"] for action in again["plan"]} == {"keep"}
    assert local_aws.writes == []

    run(local_aws, "delete", project, "--yes")
    assert [row["deployed"] for row in run(local_aws, "list", project)] == [False] * len(TRIGGERS[name])
    assert nothing_is_left(local_aws)


def nothing_is_left(local_aws: LocalAWS) -> bool:
    def client(service: str) -> Any:
        return local_aws.client(service, REGION)

    assert client("lambda").list_functions()["Functions"] == []
    assert client("lambda").list_event_source_mappings()["EventSourceMappings"] == []
    assert client("iam").list_roles()["Roles"] == []
    assert client("logs").describe_log_groups()["logGroups"] == []
    assert client("apigatewayv2").get_apis()["Items"] == []
    assert client("events").list_rules()["Rules"] == []
    for bucket in client("s3").list_buckets()["Buckets"]:
        notifications = client("s3").get_bucket_notification_configuration(Bucket=bucket["Name"])
        assert set(notifications) == {"ResponseMetadata"}
    for rule_set in client("ses").list_receipt_rule_sets()["RuleSets"]:
        assert client("ses").describe_receipt_rule_set(RuleSetName=rule_set["Name"])["Rules"] == []
    return True
