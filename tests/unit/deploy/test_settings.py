"""Names and tags of resources, policies of roles, and changes of settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pyl.deploy.iam_permissions import setting_statements
from pyl.deploy.policy import Statement, canonical_text, policy_document
from pyl.deploy.settings import desired_settings
from pyl.deploy.tags import Owner, tags_from_list, tags_to_list
from pyl.deploy.target import Target
from pyl.project.config.deployment import Allowed, DeploymentConfiguration
from pyl.project.config.model import FunctionConfiguration
from pyl.project.model import Function


def target(name: str = "notify", prefix: str = "", **settings: Any) -> Target:
    deployment = DeploymentConfiguration(**settings)
    function = Function(
        name=name,
        module="app",
        attribute=name,
        file=Path("/project/app.py"),
        line=1,
        event=None,
        configuration=FunctionConfiguration(environment={"TABLE": "orders"}, deployment=deployment),
    )
    owner = Owner(project="shop", prefix=prefix)
    return Target(function=function, owner=owner, region="eu-west-1", account="123456789012", partition="aws-cn")


def test_the_prefix_is_in_every_name() -> None:
    notify = target(prefix="test-", alias="live")
    assert notify.name == "test-notify"
    assert notify.invoked_arn == "arn:aws-cn:lambda:eu-west-1:123456789012:function:test-notify:live"
    assert notify.owner.tags == {"pyl:project": "test-shop"}
    assert notify.owner.name("notify") == "test-shop-notify"


def test_long_names_are_cut_and_stay_apart() -> None:
    owner = Owner(project="p" * 60)
    one, other = owner.name("one"), owner.name("two")
    assert len(one) == len(other) == 64
    assert one != other
    assert one == owner.name("one")


def test_names_hold_what_iam_takes() -> None:
    assert Owner(project="my shop (2)").name("a.b") == "my-shop-2--a-b"


def test_a_project_owns_what_has_its_tag_and_nothing_else() -> None:
    owner = Owner(project="shop")
    assert owner.owns({"pyl:project": "shop", "x": "y"})
    assert not owner.owns({"pyl:project": "other"})
    assert not owner.owns({})


def test_tags_go_both_ways() -> None:
    assert tags_from_list(tags_to_list({"a": "1"})) == {"a": "1"}
    assert tags_from_list([{"TagKey": "a", "TagValue": "1"}]) == {"a": "1"}


def test_a_policy_is_canonical_whatever_the_order() -> None:
    one = Statement(reason="logs", actions=("b", "a"), resources=("y", "x"))
    other = Statement(reason="logs", actions=("a", "b"), resources=("x", "y"))
    assert canonical_text(policy_document([one])) == canonical_text(policy_document([other]))


def test_equal_statements_are_held_once() -> None:
    one = Statement(reason="queue orders.fifo", actions=("a",), resources=("x",))
    (statement,) = policy_document([one, one])["Statement"]
    assert statement["Sid"] == "QueueOrdersFifo"


def test_a_role_may_write_its_own_logs_and_nothing_more() -> None:
    (statement,) = setting_statements(target())
    assert statement.actions == ("logs:CreateLogStream", "logs:PutLogEvents")
    assert statement.resources == ("arn:aws-cn:logs:eu-west-1:123456789012:log-group:/aws/lambda/notify:*",)


@pytest.mark.parametrize(
    ("settings", "actions"),
    [
        ({"tracing": "Active"}, {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}),
        ({"tracing": "PassThrough"}, set()),
        ({"on_failure": "arn:aws:sqs:eu-west-1:123456789012:x"}, {"sqs:SendMessage"}),
        ({"on_success": "arn:aws:sns:eu-west-1:123456789012:x"}, {"sns:Publish"}),
        ({"on_success": "arn:aws:lambda:eu-west-1:123456789012:function:x"}, {"lambda:InvokeFunction"}),
        ({"on_success": "arn:aws:events:eu-west-1:123456789012:event-bus/x"}, {"events:PutEvents"}),
        ({"on_failure": "arn:aws:s3:::x"}, {"s3:ListBucket", "s3:PutObject"}),
        ({"allow": (Allowed(actions=("s3:GetObject",), resources=("*",)),)}, {"s3:GetObject"}),
        ({"subnets": ()}, set()),
    ],
)
def test_each_setting_adds_what_it_needs(settings: dict[str, Any], actions: set[str]) -> None:
    policy_statements = [
        statement for statement in setting_statements(target(**settings)) if statement.reason != "Logs"
    ]
    assert {action for statement in policy_statements for action in statement.actions} == actions


def list_changes(**settings: Any) -> list[str]:
    notify = target(**settings)
    present = {
        "Runtime": "python3.11",
        "Handler": "functions.notify",
        "Role": "r",
        "MemorySize": 512,
        "Timeout": 10,
        "Environment": {"Variables": {"TABLE": "orders", "THEIRS": "1"}},
        "Layers": [{"Arn": "l"}],
        "VpcConfig": {"SubnetIds": ["b", "a"], "SecurityGroupIds": ["s"], "VpcId": "v"},
        "LoggingConfig": {"LogFormat": "JSON", "LogGroup": "/mine", "ApplicationLogLevel": "DEBUG"},
        "TracingConfig": {"Mode": "Active"},
    }
    desired = desired_settings(notify, runtime=lambda _: "python3.11", role="r")
    assert bool(desired.changes(present)) == bool(desired.arguments(present))
    return [f"{change.field}: {change.old} -> {change.new}" for change in desired.changes(present)]


def test_settings_that_are_equal_or_not_configured_do_not_change() -> None:
    assert list_changes() == []
    assert list_changes(subnets=("a", "b"), security_groups=("s",), layers=("l",), tracing="Active") == []


def test_each_setting_changes_alone() -> None:
    assert list_changes(layers=()) == ["layers: ['l'] -> []"]
    assert list_changes(subnets=()) == ["vpc: {'subnets': ['a', 'b'], 'security_groups': ['s']} -> None"]
    assert list_changes(environment_mode="replace") == ["environment.THEIRS: 1 -> None"]
    assert list_changes(tracing="PassThrough") == ["tracing: Active -> PassThrough"]


def test_the_log_group_of_others_stays_when_the_format_changes() -> None:
    desired = desired_settings(target(log_format="Text"), runtime=lambda _: "python3.11", role="r")
    present = {"LoggingConfig": {"LogFormat": "JSON", "LogGroup": "/mine", "ApplicationLogLevel": "DEBUG"}}
    assert desired.arguments(present)["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": "/mine"}
