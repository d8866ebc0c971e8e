"""`pyl deploy` makes functions, and changes of them what differs."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from integration.deploy.local_aws import REGION, Call, LocalAWS, run_here
from integration.projects import COMMAND, HELLO, ROOT, Done, environment, write_project

DOCUMENTATION = ROOT / "docs" / "aws.md"
ACCOUNT = "123456789012"
POLICY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}'
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:failed"
FULL = f"""
tags = {{ team = "shop" }}

[tool.pyl.functions.hello]
description = "Says hello"
memory = 256
timeout = 30
environment = {{ TABLE = "orders", TOKEN = "do-not-show-this" }}
tags = {{ stage = "test" }}
tracing = "Active"
log_retention = 30
log_format = "JSON"
ephemeral_storage = 1024
reserved_concurrency = 5
subnets = ["subnet-1", "subnet-2"]
security_groups = ["sg-1"]
alias = "live"
on_failure = "{QUEUE}"
retries = 1
event_age = 3600
url = "public"
url_mode = "RESPONSE_STREAM"
url_origins = ["https://example.org"]
allow = [{{ actions = ["dynamodb:GetItem"], resources = ["arn:aws:dynamodb:*:*:table/orders"] }}]
"""


def project_with(folder: Path, configuration: str = "") -> Path:
    (folder / "shop").mkdir(exist_ok=True)
    return write_project(folder / "shop", {"app.py": HELLO}, configuration=configuration)


def deploy(local_aws: LocalAWS, project: Path, package: Path, *options: str, **variables: str) -> Done:
    arguments: list[str | Path] = ["deploy", "--project", project, "--package", package, "--region", REGION, *options]
    return run_here(*arguments, **(local_aws.environment | variables))


def function(local_aws: LocalAWS, name: str = "hello") -> dict[str, Any]:
    found: dict[str, Any] = local_aws.client("lambda").get_function(FunctionName=name)
    return found


def policy_made(local_aws: LocalAWS) -> str:
    made = local_aws.client("iam").create_policy(PolicyName="reading", PolicyDocument=POLICY)
    arn: str = made["Policy"]["Arn"]
    return arn


def sha256(path: Path) -> str:
    return base64.b64encode(hashlib.sha256(path.read_bytes()).digest()).decode()


def test_a_function_is_made_with_its_role_and_log_group(local_aws: LocalAWS, tmp_path: Path, package: Path) -> None:
    done = deploy(local_aws, project_with(tmp_path), package, "--yes").succeeded()
    found = function(local_aws)
    configuration = found["Configuration"]
    assert configuration["CodeSha256"] == sha256(package)
    assert configuration["Handler"] == "functions.hello"
    assert (configuration["MemorySize"], configuration["Timeout"]) == (512, 10)
    assert configuration["Role"] == f"arn:aws:iam::{ACCOUNT}:role/shop-hello"
    assert found["Tags"] == {"pyl:project": "shop"}
    policy = local_aws.client("iam").get_role_policy(RoleName="shop-hello", PolicyName="pyl")["PolicyDocument"]
    assert policy["Statement"] == [
        {
            "Sid": "Logs",
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": [f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/hello:*"],
        }
    ]
    groups = local_aws.client("logs").describe_log_groups()["logGroups"]
    assert [group["logGroupName"] for group in groups] == ["/aws/lambda/hello"]
    assert f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:hello" in done.out


def test_every_setting_arrives(local_aws: LocalAWS, tmp_path: Path, package: Path) -> None:
    project = project_with(tmp_path, FULL)
    done = deploy(local_aws, project, package, "--yes", "--json").succeeded()
    client, found = local_aws.client("lambda"), function(local_aws)
    configuration = found["Configuration"]
    assert configuration["Description"] == "Says hello"
    assert (configuration["MemorySize"], configuration["Timeout"]) == (256, 30)
    assert configuration["Environment"]["Variables"] == {"TABLE": "orders", "TOKEN": "do-not-show-this"}
    assert configuration["TracingConfig"] == {"Mode": "Active"}
    assert configuration["LoggingConfig"]["LogFormat"] == "JSON"
    assert configuration["EphemeralStorage"] == {"Size": 1024}
    assert configuration["VpcConfig"]["SubnetIds"] == ["subnet-1", "subnet-2"]
    assert configuration["VpcConfig"]["SecurityGroupIds"] == ["sg-1"]
    assert found["Tags"] == {"pyl:project": "shop", "team": "shop", "stage": "test"}
    assert found["Concurrency"] == {"ReservedConcurrentExecutions": 5}
    assert client.get_alias(FunctionName="hello", Name="live")["FunctionVersion"] == "1"
    asynchronous = client.get_function_event_invoke_config(FunctionName="hello", Qualifier="live")
    assert (asynchronous["MaximumRetryAttempts"], asynchronous["MaximumEventAgeInSeconds"]) == (1, 3600)
    assert asynchronous["DestinationConfig"] == {"OnFailure": {"Destination": QUEUE}}
    url = client.get_function_url_config(FunctionName="hello", Qualifier="live")
    assert (url["AuthType"], url["InvokeMode"]) == ("NONE", "RESPONSE_STREAM")
    assert url["Cors"]["AllowOrigins"] == ["https://example.org"]
    group = local_aws.client("logs").describe_log_groups()["logGroups"][0]
    assert group["retentionInDays"] == 30
    (told,) = done.json["functions"]
    assert (told["version"], told["alias"], told["url"]) == ("1", "live", url["FunctionUrl"])


def test_a_public_url_has_both_permissions_for_invocations_by_the_url_only(
    local_aws: LocalAWS, tmp_path: Path, package: Path
) -> None:
    project = project_with(tmp_path, '[tool.pyl.functions.hello]\nurl = "public"\n')
    deploy(local_aws, project, package, "--yes").succeeded()
    policy = json.loads(local_aws.client("lambda").get_policy(FunctionName="hello")["Policy"])
    by_action = {statement["Action"]: statement for statement in policy["Statement"]}
    assert set(by_action) == {"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"}
    assert by_action["lambda:InvokeFunction"]["InvokedViaFunctionUrl"] is True
    assert by_action["lambda:InvokeFunctionUrl"]["FunctionUrlAuthType"] == "NONE"


def test_a_url_is_closed_and_taken_away(local_aws: LocalAWS, tmp_path: Path, package: Path) -> None:
    client = local_aws.client("lambda")
    for url, authentication in (("public", "NONE"), ("iam", "AWS_IAM"), ("off", None)):
        project = project_with(tmp_path, f'[tool.pyl.functions.hello]\nurl = "{url}"\n')
        deploy(local_aws, project, package, "--yes").succeeded()
        if authentication:
            assert client.get_function_url_config(FunctionName="hello")["AuthType"] == authentication
        if authentication != "NONE":
            with pytest.raises(client.exceptions.ResourceNotFoundException):
                client.get_policy(FunctionName="hello")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_function_url_config(FunctionName="hello")


def test_a_second_deployment_without_changes_writes_nothing(local_aws: LocalAWS, tmp_path: Path, package: Path) -> None:
    project = project_with(tmp_path, FULL)
    deploy(local_aws, project, package, "--yes").succeeded()
    assert local_aws.writes
    local_aws.calm()
    done = deploy(local_aws, project, package).succeeded()
    assert local_aws.calls
    assert local_aws.writes == []
    assert "Everything is up to date." in done.out


def test_code_is_uploaded_only_when_its_hash_differs(
    local_aws: LocalAWS, tmp_path: Path, package: Path, other_package: Path
) -> None:
    deploy(local_aws, project_with(tmp_path), package, "--yes").succeeded()
    local_aws.calm()
    deploy(local_aws, project_with(tmp_path, "memory = 1024\n"), package, "--yes").succeeded()
    assert local_aws.writes == ["lambda PUT /2015-03-31/functions/hello/configuration"]
    local_aws.calm()
    deploy(local_aws, project_with(tmp_path, "memory = 1024\n"), other_package, "--yes").succeeded()
    assert local_aws.writes == ["lambda PUT /2015-03-31/functions/hello/code"]
    assert function(local_aws)["Configuration"]["CodeSha256"] == sha256(other_package)


@pytest.mark.parametrize(
    ("before", "after", "field", "old", "new"),
    [
        ("memory = 256", "memory = 512", "memory", 256, 512),
        ('tracing = "Active"', 'tracing = "PassThrough"', "tracing", "Active", "PassThrough"),
        ("ephemeral_storage = 600", "ephemeral_storage = 700", "ephemeral_storage", 600, 700),
        ('log_format = "JSON"', 'log_format = "Text"', "log_format", "JSON", "Text"),
        ("log_retention = 7", "log_retention = 14", "log_retention", 7, 14),
        ('runtime = "python3.11"', 'runtime = "python3.11"\nrole = "{role}"', "role", "{made}", "{role}"),
        ("reserved_concurrency = 1", "reserved_concurrency = 0", "reserved_concurrency", 1, 0),
        ('tags = { a = "1" }', 'tags = { a = "2" }', "tags.a", "1", "2"),
        ("retries = 0", "retries = 2", "retries", 0, 2),
        ('url = "iam"', 'url = "public"', "url", "iam", "public"),
    ],
)
def test_one_changed_setting_is_the_whole_plan(
    local_aws: LocalAWS, tmp_path: Path, package: Path, before: str, after: str, field: str, old: object, new: object
) -> None:
    role = local_aws.client("iam").create_role(RoleName="given", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    names = {"{role}": role, "{made}": f"arn:aws:iam::{ACCOUNT}:role/shop-hello"}
    here = f"python3.{sys.version_info.minor}"
    for written in (before, after):
        configuration = written.replace("{role}", role).replace("python3.11", here)
        project = project_with(tmp_path, f"[tool.pyl.functions.hello]\n{configuration}\n")
        done = deploy(local_aws, project, package, "--yes", "--json").succeeded()
    changes = [
        (change["field"], change["old"], change["new"])
        for action in done.json["plan"]
        for change in action["changes"]
        if change["field"] not in {"permissions", "tags.pyl:project"}
    ]
    expected = (field, names.get(str(old), old), names.get(str(new), new))
    assert changes[:1] == [expected] or changes[-1:] == [expected]
    again = deploy(local_aws, project, package, "--yes", "--json").succeeded()
    assert {action["action"] for action in again.json["plan"]} == {"keep"}


def test_variables_set_by_others_are_kept_unless_they_are_to_be_replaced(
    local_aws: LocalAWS, tmp_path: Path, package: Path
) -> None:
    project = project_with(tmp_path, 'environment = { OURS = "1" }\n')
    deploy(local_aws, project, package, "--yes").succeeded()
    local_aws.client("lambda").update_function_configuration(
        FunctionName="hello", Environment={"Variables": {"OURS": "1", "THEIRS": "2"}}
    )
    local_aws.calm()
    deploy(local_aws, project, package, "--yes").succeeded()
    assert local_aws.writes == []
    project = project_with(tmp_path, 'environment = { OURS = "3" }\n')
    deploy(local_aws, project, package, "--yes").succeeded()
    assert function(local_aws)["Configuration"]["Environment"]["Variables"] == {"OURS": "3", "THEIRS": "2"}
    project = project_with(tmp_path, 'environment_mode = "replace"\nenvironment = { OURS = "3" }\n')
    deploy(local_aws, project, package, "--yes").succeeded()
    assert function(local_aws)["Configuration"]["Environment"]["Variables"] == {"OURS": "3"}


def test_what_configuration_does_not_mention_stays(local_aws: LocalAWS, tmp_path: Path, package: Path) -> None:
    project, client = project_with(tmp_path), local_aws.client("lambda")
    deploy(local_aws, project, package, "--yes").succeeded()
    client.update_function_configuration(
        FunctionName="hello", TracingConfig={"Mode": "Active"}, EphemeralStorage={"Size": 2048}
    )
    client.put_function_concurrency(FunctionName="hello", ReservedConcurrentExecutions=3)
    client.tag_resource(Resource=function(local_aws)["Configuration"]["FunctionArn"], Tags={"theirs": "1"})
    local_aws.calm()
    deploy(local_aws, project, package, "--yes").succeeded()
    assert local_aws.writes == []


def test_an_alias_moves_with_each_change_and_versions_stay(
    local_aws: LocalAWS, tmp_path: Path, package: Path, other_package: Path
) -> None:
    project, client = project_with(tmp_path, 'alias = "live"\n'), local_aws.client("lambda")
    deploy(local_aws, project, package, "--yes").succeeded()
    deploy(local_aws, project, other_package, "--yes").succeeded()
    version = client.get_alias(FunctionName="hello", Name="live")["FunctionVersion"]
    assert version != "1"
    by_version = {
        version["Version"]: version["CodeSha256"]
        for version in client.list_versions_by_function(FunctionName="hello")["Versions"]
    }
    assert by_version["1"] == sha256(package)
    assert by_version[version] == sha256(other_package)


def test_versions_are_published_without_an_alias(
    local_aws: LocalAWS, tmp_path: Path, package: Path, other_package: Path
) -> None:
    project = project_with(tmp_path, "publish = true\n")
    first = deploy(local_aws, project, package, "--yes", "--json").succeeded().json["functions"][0]["version"]
    same = deploy(local_aws, project, package, "--yes", "--json").succeeded().json["functions"][0]["version"]
    other = deploy(local_aws, project, other_package, "--yes", "--json").succeeded().json["functions"][0]["version"]
    assert (first, same) == ("1", "1")
    assert int(other) > 1


def test_a_prefix_keeps_deployments_apart(local_aws: LocalAWS, tmp_path: Path, package: Path) -> None:
    project = project_with(tmp_path)
    deploy(local_aws, project, package, "--yes").succeeded()
    deploy(local_aws, project, package, "--yes", PYL_PREFIX="test-").succeeded()
    names = [found["FunctionName"] for found in local_aws.client("lambda").list_functions()["Functions"]]
    assert sorted(names) == ["hello", "test-hello"]
    found = function(local_aws, "test-hello")
    assert found["Configuration"]["Handler"] == "functions.hello"
    assert found["Tags"] == {"pyl:project": "test-shop"}


def test_a_function_of_another_project_is_not_touched(local_aws: LocalAWS, tmp_path: Path, package: Path) -> None:
    deploy(local_aws, project_with(tmp_path), package, "--yes").succeeded()
    other = write_project(tmp_path / "other", {"app.py": HELLO})
    local_aws.calm()
    done = deploy(local_aws, other, package, "--yes")
    assert (done.code, local_aws.writes) == (5, [])
    assert "the function hello belongs to another pyl project: shop" in done.err


def test_a_role_that_pyl_did_not_make_is_not_touched(local_aws: LocalAWS, tmp_path: Path, package: Path) -> None:
    local_aws.client("iam").create_role(RoleName="shop-hello", AssumeRolePolicyDocument="{}")
    done = deploy(local_aws, project_with(tmp_path), package, "--yes")
    assert (done.code, local_aws.writes) == (5, [])
    assert "a role shop-hello exists, but pyl did not create it" in done.err


def test_a_function_that_was_made_by_hand_is_taken_over(local_aws: LocalAWS, tmp_path: Path, package: Path) -> None:
    role = local_aws.client("iam").create_role(RoleName="given", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    local_aws.client("lambda").create_function(
        FunctionName="hello", Runtime="python3.11", Role=role, Handler="x.y", Code={"ZipFile": package.read_bytes()}
    )
    done = deploy(local_aws, project_with(tmp_path, f'role = "{role}"\n'), package, "--yes").succeeded()
    assert "~ update function hello" in done.out
    assert "handler: x.y → functions.hello" in done.out
    assert function(local_aws)["Tags"] == {"pyl:project": "shop"}


def test_a_role_that_pyl_made_goes_when_another_is_given(local_aws: LocalAWS, tmp_path: Path, package: Path) -> None:
    iam = local_aws.client("iam")
    role = iam.create_role(RoleName="given", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    managed = policy_made(local_aws)
    deploy(local_aws, project_with(tmp_path, f'policies = ["{managed}"]\n'), package, "--yes").succeeded()
    assert len(iam.list_attached_role_policies(RoleName="shop-hello")["AttachedPolicies"]) == 1
    deploy(local_aws, project_with(tmp_path, f'role = "{role}"\n'), package, "--yes").succeeded()
    assert [found["RoleName"] for found in iam.list_roles()["Roles"]] == ["given"]


def test_policies_are_attached_and_detached(local_aws: LocalAWS, tmp_path: Path, package: Path) -> None:
    iam, managed = local_aws.client("iam"), policy_made(local_aws)

    def attached() -> list[str]:
        found = iam.list_attached_role_policies(RoleName="shop-hello")["AttachedPolicies"]
        return [policy["PolicyArn"] for policy in found]

    deploy(local_aws, project_with(tmp_path, f'policies = ["{managed}"]\n'), package, "--yes").succeeded()
    assert attached() == [managed]
    deploy(local_aws, project_with(tmp_path), package, "--yes").succeeded()
    assert attached() == [managed]
    deploy(local_aws, project_with(tmp_path, "policies = []\n"), package, "--yes").succeeded()
    assert attached() == []


def test_a_dry_run_writes_nothing_and_shows_the_plan(local_aws: LocalAWS, tmp_path: Path, package: Path) -> None:
    done = deploy(local_aws, project_with(tmp_path, FULL), package, "--dry-run").succeeded()
    assert local_aws.writes == []
    assert "+ create function hello" in done.out
    assert "memory: 256" in done.out


def test_without_a_terminal_nothing_is_done_unconfirmed(local_aws: LocalAWS, tmp_path: Path, package: Path) -> None:
    done = deploy(local_aws, project_with(tmp_path), package)
    assert (done.code, local_aws.writes) == (2, [])
    assert "--yes" in done.err


def test_values_of_variables_are_masked_unless_asked_for(local_aws: LocalAWS, tmp_path: Path, package: Path) -> None:
    project = project_with(tmp_path, FULL)
    for options in (["--dry-run"], ["--yes"], ["--yes", "--json"]):
        done = deploy(local_aws, project, package, *options).succeeded()
        assert "do-not-show-this" not in done.out + done.err
    changed = project_with(tmp_path, FULL.replace("do-not-show-this", "nor-this-other-one"))
    done = deploy(local_aws, changed, package, "--dry-run").succeeded()
    assert "environment.TOKEN: •••••• → ••••••" in done.out
    assert "do-not-show-this" not in done.out + done.err
    done = deploy(local_aws, changed, package, "--dry-run", "--show-values").succeeded()
    assert "environment.TOKEN: do-not-show-this → nor-this-other-one" in done.out


def test_policies_are_printed_without_a_build(local_aws: LocalAWS, tmp_path: Path) -> None:
    project = project_with(tmp_path, FULL)
    done = run_here("deploy", "--print-policy", "--project", project, **local_aws.environment).succeeded()
    statements = {statement["Sid"]: statement for statement in done.json["hello"]["Statement"]}
    assert set(statements) == {"Logs", "Tracing", "Vpc", "OnFailure", "Allow1"}
    assert statements["OnFailure"]["Action"] == ["sqs:SendMessage"]
    assert statements["OnFailure"]["Resource"] == [QUEUE]
    assert local_aws.writes == []


def test_only_named_functions_are_deployed(local_aws: LocalAWS, tmp_path: Path, package: Path) -> None:
    project = write_project(tmp_path / "two", {"app.py": HELLO, "more.py": HELLO.replace("def hello", "def other")})
    deploy(local_aws, project, package, "other", "--yes").succeeded()
    names = [found["FunctionName"] for found in local_aws.client("lambda").list_functions()["Functions"]]
    assert names == ["other"]
    done = deploy(local_aws, project, package, "othr", "--yes")
    assert done.code == 2
    assert "did you mean other?" in done.err


def test_wrong_credentials_and_regions_are_told_with_what_to_do(
    local_aws: LocalAWS, tmp_path: Path, package: Path
) -> None:
    project = project_with(tmp_path)
    none = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "")
    done = deploy(local_aws, project, package, "--yes", **none)
    assert done.code == 5
    assert "aws configure" in done.err
    done = deploy(local_aws, project, package, "--yes", "--profile", "nobody")
    assert done.code == 5
    assert "nobody" in done.err
    done = deploy(local_aws, project, package, "--yes", AWS_ENDPOINT_URL="http://127.0.0.1:9", AWS_MAX_ATTEMPTS="1")
    assert done.code == 5
    assert "AWS_ENDPOINT_URL" in done.err


def test_what_belongs_to_an_alias_is_asked_for_by_it(local_aws: LocalAWS, tmp_path: Path, package: Path) -> None:
    """Moto keeps one URL and one asynchronous configuration per function: what counts here is what it was asked."""
    deploy(local_aws, project_with(tmp_path, FULL), package, "--yes").succeeded()
    qualified = [
        call for call in local_aws.calls if re.search(r"/(url|event-invoke-config)$|^POST .*/policy$", call.operation)
    ]
    assert {call.operation.rpartition("/")[2] for call in qualified} == {"url", "policy", "event-invoke-config"}
    assert {call.query for call in qualified} == {"Qualifier=live"}


def test_the_documentation_names_every_permission_that_is_used(
    local_aws: LocalAWS, tmp_path: Path, package: Path, other_package: Path
) -> None:
    local_aws.client("sqs").create_queue(QueueName="work")
    changed = (
        FULL.replace('"public"', '"iam"').replace("retries = 1", "retries = 2").replace("memory = 2", "memory = 3")
    )
    trigger = '[[tool.pyl.functions.hello.triggers]]\ntype = "sqs"\nqueue = "work"\n'
    for configuration, zip_file in ((FULL + trigger, package), (changed, other_package)):
        deploy(local_aws, project_with(tmp_path, configuration), zip_file, "--yes").succeeded()
    documented = set(re.findall(r"`([a-z0-9]+:[A-Za-z]+)`", DOCUMENTATION.read_text("utf-8")))
    used = {action for call in local_aws.calls if (action := permission(call))}
    assert len(used) > 25
    assert used - documented == set()


def permission(call: Call) -> str | None:
    """The IAM action of a call; what everyone may ask is none."""
    if call.service == "sts":
        return None
    if call.service == "apigateway":  # its actions are methods
        return f"apigateway:{call.operation.partition(' ')[0]}"
    if call.service != "lambda":
        return f"{call.service}:{call.operation}"
    import botocore.session

    model = botocore.session.get_session().get_service_model("lambda")
    method, path = call.operation.split(" ", 1)
    for name in model.operation_names:
        http = model.operation_model(name).http
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(http["requestUri"].rstrip("/")))
        if http["method"] == method and re.fullmatch(pattern, path.rstrip("/")):
            return f"lambda:{name}"
    return call.operation


@pytest.mark.parametrize(("typed", "code", "is_done"), [("n", 1, False), ("y", 0, True)])
def test_on_a_terminal_it_asks(
    local_aws: LocalAWS, tmp_path: Path, package: Path, typed: str, code: int, is_done: bool
) -> None:
    ours, theirs = pty.openpty()
    os.write(ours, f"{typed}\n".encode())
    arguments: list[str | Path] = ["deploy", "--project", project_with(tmp_path), "--package", package]
    done = subprocess.run(
        [*COMMAND, *arguments], env=environment(**local_aws.environment), stdin=theirs, capture_output=True, text=True
    )
    os.close(ours)
    os.close(theirs)
    assert (done.returncode, bool(local_aws.writes)) == (code, is_done), done.stderr
    assert "3 of 3 resources will change. Continue? [y/N]" in done.stderr


def test_a_zip_that_is_not_the_functions_package_is_refused(local_aws: LocalAWS, tmp_path: Path, package: Path) -> None:
    more = write_project(tmp_path / "more", {"app.py": HELLO, "more.py": HELLO.replace("def hello", "def third")})
    done = deploy(local_aws, more, package, "--yes")
    assert (done.code, local_aws.writes) == (2, [])
    assert "interpreted.zip does not contain third; it has hello, other" in done.err
    for content in (b"no zip", b"PK\x05\x06" + b"\0" * 18):
        (tmp_path / "wrong.zip").write_bytes(content)
        done = deploy(local_aws, more, tmp_path / "wrong.zip", "--yes")
        assert (done.code, local_aws.writes) == (2, [])
        assert "use a zip file that `pyl build` made" in done.err
    native = project_with(tmp_path, '[tool.pyl.functions.hello]\nruntime = "provided.al2"\n')
    done = deploy(local_aws, native, package, "--yes")
    assert (done.code, local_aws.writes) == (2, [])
    assert "is an interpreted package, but the functions need a native one" in done.err
