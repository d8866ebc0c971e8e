"""Whatever fails between any two calls to AWS: it is told, nothing is left half made, and the next run converges.

A deployment is recorded once without faults; then it is repeated with a fault at each of its calls in turn, on an
empty AWS for a new function, and on a deployed one for a changed function.
"""

from __future__ import annotations

import datetime as dt
import json
import signal
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from integration.deploy.local_aws import (
    CREDENTIALS,
    EXPIRED,
    LOST_ANSWER,
    REGION,
    RESET,
    SERVER_ERROR,
    THROTTLED,
    Call,
    Fault,
    LocalAWS,
    run_here,
)
from integration.projects import HELLO, write_project
from pyl.architecture import Architecture
from pyl.deploy.aws import AWS
from pyl.deploy.code import Code
from pyl.deploy.desired_state import FunctionPackage, find_desired_state
from pyl.deploy.plan import Plan, Stopped, apply_plan, make_plan
from pyl.errors import AWSError
from pyl.packaging.interpreted import runtime
from pyl.progress import Silent
from pyl.project import load_project
from pyl.project.model import Project

BEFORE = """
[tool.pyl.functions.hello]
memory = 256
environment = { TABLE = "orders", TOKEN = "do-not-show-this" }
log_retention = 30
reserved_concurrency = 5
alias = "live"
retries = 1
url = "public"
[[tool.pyl.functions.hello.triggers]]
type = "sqs"
queue = "work"
"""
AFTER = """
[tool.pyl.functions.hello]
memory = 512
environment = { TABLE = "others", TOKEN = "do-not-show-this" }
log_retention = 14
reserved_concurrency = 6
alias = "live"
retries = 2
url = "iam"
allow = [{ actions = ["s3:GetObject"], resources = ["arn:aws:s3:::scans/*"] }]
[[tool.pyl.functions.hello.triggers]]
type = "sqs"
queue = "work"
batch_size = 5
"""
PERSISTENT = (THROTTLED, SERVER_ERROR, EXPIRED, RESET, LOST_ANSWER)


@dataclass
class Deployment:
    """One project before and after a change, with its packages, deployed by the core itself."""

    local_aws: LocalAWS
    aws: AWS
    projects: Mapping[str, Project]
    packages: Mapping[str, Path]

    def plan(self, when: str) -> Plan:
        project = self.projects[when]
        package = FunctionPackage(
            code=Code(path=self.packages[when], project="shop"), architecture=Architecture.X86_64, runtime=runtime()
        )
        desired_state = find_desired_state(self.aws, project, {"hello": package}, dt.date(2026, 1, 1))
        return make_plan(self.aws, desired_state.resources, desired_state.to_delete)

    def run(self, when: str) -> None:
        apply_plan(self.aws, self.plan(when), Silent())

    def begin(self, when: str) -> None:
        """AWS as it is before a deployment: with a queue, and for a change with the function."""
        self.local_aws.forget()
        self.local_aws.client("sqs").create_queue(QueueName="work")
        assert self.aws.identity  # asked for once, so that every run makes the same calls
        if when == "after":
            self.run("before")
        self.local_aws.calm()

    def recorded(self, when: str) -> tuple[list[Call], dict[str, Any]]:
        """The calls of a deployment without faults, and what it makes."""
        self.begin(when)
        self.run(when)
        return list(self.local_aws.calls), snapshot(self.local_aws)

    def fail_from(self, number: int, fault: Fault) -> None:
        self.local_aws.decide = lambda _call, index: fault if index >= number else None

    def fail_once(self, number: int, fault: Fault) -> None:
        self.local_aws.decide = lambda _call, index: fault if index == number else None


def connected(local_aws: LocalAWS, attempts: int) -> AWS:
    import boto3

    session = boto3.Session(CREDENTIALS["AWS_ACCESS_KEY_ID"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"], region_name=REGION)
    return AWS(session=session, region=REGION, endpoint=local_aws.url, attempts=attempts, pause=lambda _: None)


@pytest.fixture
def deployment(local_aws: LocalAWS, tmp_path: Path, package: Path, other_package: Path) -> Deployment:
    projects = {}
    for when, text in {"before": BEFORE, "after": AFTER}.items():
        folder = write_project(tmp_path / when / "shop", {"app.py": HELLO}, configuration=text)
        projects[when] = load_project(folder, environ={})
    return Deployment(local_aws, connected(local_aws, 1), projects, {"before": package, "after": other_package})


@pytest.fixture
def control_c() -> Iterator[Fault]:
    """Ctrl-C while a call is under way; where the tests run in the background, too, which ignores it otherwise."""
    main = threading.main_thread().ident
    assert main is not None
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield Fault(lead=lambda: signal.pthread_kill(main, signal.SIGINT))
    signal.signal(signal.SIGINT, before)


def snapshot(local_aws: LocalAWS) -> dict[str, Any]:
    """Everything that matters of what is there."""
    iam, functions = local_aws.client("iam"), local_aws.client("lambda")
    return {
        "roles": {
            role["RoleName"]: [
                iam.get_role_policy(RoleName=role["RoleName"], PolicyName=name)["PolicyDocument"]
                for name in iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]
            ]
            for role in iam.list_roles()["Roles"]
        },
        "log groups": {
            group["logGroupName"]: group.get("retentionInDays")
            for group in local_aws.client("logs").describe_log_groups()["logGroups"]
        },
        "functions": [
            function_snapshot(functions, found["FunctionName"]) for found in functions.list_functions()["Functions"]
        ],
        "mappings": [
            (mapping["EventSourceArn"], mapping["FunctionArn"], mapping["BatchSize"])
            for mapping in functions.list_event_source_mappings()["EventSourceMappings"]
        ],
    }


def function_snapshot(client: Any, name: str) -> dict[str, Any]:
    function = client.get_function(FunctionName=name)
    asynchronous = client.get_function_event_invoke_config(FunctionName=name)
    try:
        policy = json.loads(client.get_policy(FunctionName=name)["Policy"])["Statement"]
    except client.exceptions.ResourceNotFoundException:
        policy = []
    return {
        "latest": settings(function["Configuration"]),
        "live": settings(client.get_function_configuration(FunctionName=name, Qualifier="live")),
        "tags": function["Tags"],
        "concurrency": function["Concurrency"],
        "retries": asynchronous["MaximumRetryAttempts"],
        "url": client.get_function_url_config(FunctionName=name)["AuthType"],
        "permissions": sorted(statement["Sid"] for statement in policy),
    }


def settings(configuration: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("CodeSha256", "Handler", "Runtime", "Role", "MemorySize", "Timeout", "Environment", "Description")
    return {key: configuration.get(key) for key in kept}


def live(local_aws: LocalAWS) -> dict[str, Any]:
    client = local_aws.client("lambda")
    return settings(client.get_function_configuration(FunctionName="hello", Qualifier="live"))


@pytest.mark.parametrize("when", ["before", "after"])
def test_after_a_failure_at_any_call_the_next_run_converges(deployment: Deployment, when: str) -> None:
    calls, reference = deployment.recorded(when)
    complete = {"before": None, "after": reference["functions"][0]["live"]}[when]
    for number, call in enumerate(calls):
        fault = PERSISTENT[number % len(PERSISTENT)]
        deployment.begin(when)
        old = live(deployment.local_aws) if when == "after" else None
        deployment.fail_from(number, fault)
        with pytest.raises(AWSError) as told:
            deployment.run(when)
        assert told.value.message.startswith("cannot "), f"{fault} at {call}"
        assert "do-not-show-this" not in told.value.message
        deployment.local_aws.calm()
        if when == "after":
            assert live(deployment.local_aws) in (old, complete), f"{fault} at {call}: callers got a mixture"
        deployment.run(when)
        assert snapshot(deployment.local_aws) == reference, f"{fault} at {call}"


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_single_fault_is_overcome_in_the_same_run(deployment: Deployment, when: str) -> None:
    calls, reference = deployment.recorded(when)
    deployment.aws = connected(deployment.local_aws, 3)
    faults = (LOST_ANSWER, SERVER_ERROR, THROTTLED, RESET)
    writes = [number for number, call in enumerate(calls) if call.is_write]
    for number in writes:
        fault = LOST_ANSWER if when == "before" else faults[number % len(faults)]
        deployment.begin(when)
        deployment.fail_once(number, fault)
        deployment.run(when)
        assert snapshot(deployment.local_aws) == reference, f"{fault} at {calls[number]}"


def test_after_an_interruption_at_any_write_the_next_run_converges(deployment: Deployment, control_c: Fault) -> None:
    calls, reference = deployment.recorded("before")
    for number in [number for number, call in enumerate(calls) if call.is_write]:
        deployment.begin("before")
        deployment.fail_once(number, control_c)
        with pytest.raises(KeyboardInterrupt):
            deployment.run("before")
        deployment.local_aws.calm()
        deployment.run("before")
        assert snapshot(deployment.local_aws) == reference, f"interrupted at {calls[number]}"


def test_a_deployment_of_what_is_there_only_reads(deployment: Deployment) -> None:
    deployment.recorded("before")
    deployment.local_aws.calm()
    plan = deployment.plan("before")
    assert plan.pending == ()
    assert deployment.local_aws.writes == []


def test_how_far_it_came_is_told(deployment: Deployment) -> None:
    calls, _ = deployment.recorded("before")
    creation = next(number for number, call in enumerate(calls) if call.operation == "POST /2015-03-31/functions")
    deployment.begin("before")
    deployment.fail_from(creation, THROTTLED)
    with pytest.raises(Stopped) as told:
        deployment.run("before")
    assert "cannot create function hello: AWS says TooManyRequestsException: Rate exceeded" in told.value.message
    assert "done: create log group /aws/lambda/hello, create role shop-hello" in told.value.message
    assert "not started: create alias hello:live" in told.value.message
    assert told.value.exit_code == 5


@pytest.mark.parametrize("operation", ["POST /2015-03-31/functions", "POST /2015-03-31/event-source-mappings"])
def test_what_a_failed_deployment_left_is_taken_away_by_delete(
    local_aws: LocalAWS, tmp_path: Path, package: Path, operation: str
) -> None:
    project = write_project(tmp_path / "shop", {"app.py": HELLO}, configuration=BEFORE)
    local_aws.client("sqs").create_queue(QueueName="work")
    local_aws.decide = lambda call, _: EXPIRED if call.operation.startswith(operation) else None
    deploying = ("deploy", "--project", project, "--package", package, "--yes", "--region", REGION)
    assert run_here(*deploying, **local_aws.environment).code == 5
    local_aws.calm()
    run_here("delete", "--project", project, "--yes", "--region", REGION, **local_aws.environment).succeeded()
    assert snapshot(local_aws) == {"roles": {}, "log groups": {}, "functions": [], "mappings": []}


def test_a_new_role_is_waited_for(deployment: Deployment) -> None:
    calls, reference = deployment.recorded("before")
    creation = next(number for number, call in enumerate(calls) if call.operation == "POST /2015-03-31/functions")
    unknown = Fault(
        400, "InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda."
    )
    pauses: list[float] = []
    deployment.aws.pause = pauses.append
    deployment.begin("before")
    deployment.local_aws.decide = lambda _call, index: unknown if creation <= index < creation + 4 else None
    deployment.run("before")
    assert snapshot(deployment.local_aws) == reference
    assert pauses == [0.5, 1.0, 2.0, 4.0]


def test_a_role_that_stays_unknown_is_told(deployment: Deployment) -> None:
    unknown = Fault(
        400, "InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda."
    )
    deployment.begin("before")
    deployment.local_aws.decide = lambda call, _: unknown if call.operation == "POST /2015-03-31/functions" else None
    with pytest.raises(Stopped, match="cannot be assumed by Lambda"):
        deployment.run("before")


def test_an_update_in_progress_is_waited_for(deployment: Deployment) -> None:
    _, reference = deployment.recorded("after")
    deployment.begin("after")
    busy = iter([b'"LastUpdateStatus": "InProgress"'] * 5)

    def rewrite(call: Call, body: bytes) -> bytes:
        if call.operation.endswith("/configuration") and not call.is_write:
            done = b'"LastUpdateStatus": "Successful"'
            return body.replace(done, next(busy, done)) if deployment.local_aws.writes else body
        return body

    pauses: list[float] = []
    deployment.aws.pause = pauses.append
    deployment.local_aws.rewrite = rewrite
    deployment.run("after")
    assert len(pauses) == 5
    assert snapshot(deployment.local_aws) == reference


def test_a_function_that_does_not_become_ready_is_told_with_the_reason(deployment: Deployment) -> None:
    deployment.begin("before")

    def rewrite(call: Call, body: bytes) -> bytes:
        if call.operation.endswith("/configuration") and not call.is_write:
            return body.replace(b'"State": "Active"', b'"State": "Failed", "StateReason": "The subnet is full."')
        return body

    deployment.local_aws.rewrite = rewrite
    with pytest.raises(Stopped, match=r"hello failed to become ready: The subnet is full\."):
        deployment.run("before")


def test_secrets_that_aws_repeats_are_masked(deployment: Deployment) -> None:
    deployment.begin("before")
    echo = Fault(400, "InvalidParameterValueException", "Value do-not-show-this is not allowed")
    deployment.aws.hide(["do-not-show-this"])
    deployment.local_aws.decide = lambda call, _: echo if call.operation == "POST /2015-03-31/functions" else None
    with pytest.raises(Stopped) as told:
        deployment.run("before")
    assert "Value •••••• is not allowed" in told.value.message


def test_an_interrupted_command_says_how_far_it_came(
    local_aws: LocalAWS, tmp_path: Path, package: Path, control_c: Fault
) -> None:
    project = write_project(tmp_path / "shop", {"app.py": HELLO})
    local_aws.decide = lambda call, _: control_c if call.operation == "POST /2015-03-31/functions" else None
    options = ("--project", project, "--package", package, "--yes")
    done = run_here("deploy", *options, **local_aws.environment)
    assert done.code == 130
    assert "stopped at: create function hello" in done.err
    assert "done: create log group /aws/lambda/hello, create role shop-hello" in done.err
    local_aws.calm()
    run_here("deploy", *options, **local_aws.environment).succeeded()
