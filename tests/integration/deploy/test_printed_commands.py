"""The printed commands, run verbatim by a shell with the real AWS CLI, deploy the package."""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from integration.deploy.local_aws import REGION, LocalAWS
from integration.projects import HELLO, ROOT, environment, run, write_project

AWS_CLI = ROOT / ".tools" / "awscli" / "bin"
pytestmark = pytest.mark.skipif(
    not (AWS_CLI / "aws").exists(), reason="needs the AWS CLI in .tools/awscli (make test-deploy puts it there)"
)

CONFIGURATION = """
[tool.pyl.functions.hello]
description = "https://example.org isn't fetched"
memory = 640
timeout = 17
environment = { GREETING = "it's \\"me\\" $HOME" }
tags = { team = "shop and co" }
tracing = "Active"
ephemeral_storage = 600
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a build printed, in a folder whose name needs quotes."""
    folder = tmp_path_factory.mktemp("printed") / "it's my $work"
    project = write_project(folder, {"app.py": HELLO}, configuration=CONFIGURATION)
    built: dict[str, Any] = run("build", "--json", "--project", project).succeeded().json
    return built


def shell(local_aws: LocalAWS, *commands: str, **placeholders: str) -> str:
    """Run commands as a user pastes them, one after the other in one shell."""
    role = local_aws.client("iam").create_role(RoleName="given", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    variables = {"LAMBDA_ROLE_ARN": role, "REGION_ID": REGION, "PATH": f"{AWS_CLI}:/usr/bin:/bin"}
    done = subprocess.run(
        ["sh", "-ec", "\n".join(commands)],
        env=environment(**(local_aws.environment | variables | placeholders)),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def sha256(path: str | Path) -> str:
    return base64.b64encode(hashlib.sha256(Path(path).read_bytes()).digest()).decode()


def test_the_generic_commands_make_and_update_a_function(
    local_aws: LocalAWS, report: dict[str, Any], tmp_path: Path
) -> None:
    shell(local_aws, report["commands"]["create"], FUNCTION_NAME="hello")
    client = local_aws.client("lambda")
    made = client.get_function_configuration(FunctionName="hello")
    assert made["CodeSha256"] == sha256(report["package"])
    assert (made["Handler"], made["Runtime"]) == ("functions.hello", report["runtime"])
    assert (made["MemorySize"], made["Timeout"], made["Architectures"]) == (512, 10, ["x86_64"])
    project = shutil.copytree(Path(report["package"]).parents[2], tmp_path / "changed project")
    (project / "app.py").write_text(HELLO.replace('"got"', '"received"'))
    changed = run("build", "--json", "--project", project).succeeded().json
    local_aws.client("iam").delete_role(RoleName="given")
    shell(local_aws, changed["commands"]["update"], FUNCTION_NAME="hello")
    updated = client.get_function_configuration(FunctionName="hello")
    assert updated["CodeSha256"] == sha256(changed["package"]) != made["CodeSha256"]


def test_a_functions_own_command_makes_it_as_configured(local_aws: LocalAWS, report: dict[str, Any]) -> None:
    shell(local_aws, report["commands"]["functions"]["hello"])
    made = local_aws.client("lambda").get_function(FunctionName="hello")
    configuration = made["Configuration"]
    assert configuration["CodeSha256"] == sha256(report["package"])
    assert (configuration["Handler"], configuration["Runtime"]) == ("functions.hello", report["runtime"])
    assert (configuration["MemorySize"], configuration["Timeout"]) == (640, 17)
    assert configuration["Description"] == "https://example.org isn't fetched"
    assert configuration["Environment"]["Variables"] == {"GREETING": 'it\'s "me" $HOME'}
    assert configuration["TracingConfig"] == {"Mode": "Active"}
    assert configuration["EphemeralStorage"] == {"Size": 600}
    assert made["Tags"] == {"team": "shop and co"}


def test_the_layer_is_published_and_its_arn_used(local_aws: LocalAWS, tmp_path: Path) -> None:
    project = write_project(tmp_path / "with a layer", {"app.py": HELLO})
    built = run("build", "--layer", "--json", "--project", project).succeeded().json
    shell(local_aws, built["commands"]["publish_layer"], built["commands"]["create"], FUNCTION_NAME="hello")
    client = local_aws.client("lambda")
    (layer,) = client.get_function_configuration(FunctionName="hello")["Layers"]
    name, version = layer["Arn"].split(":")[-2:]
    content = client.get_layer_version(LayerName=name, VersionNumber=int(version))["Content"]
    assert content["CodeSha256"] == sha256(built["layer"])


def test_a_large_package_goes_by_the_users_bucket(local_aws: LocalAWS, large_project: Path) -> None:
    built = run("build", "--json", "--project", large_project).succeeded().json
    commands = built["commands"]
    local_aws.client("s3").create_bucket(Bucket="packages", CreateBucketConfiguration={"LocationConstraint": REGION})
    variables = {"FUNCTION_NAME": "hello", "BUCKET_NAME": "packages"}
    shell(local_aws, commands["upload"], commands["create"], commands["update"], **variables)
    made = local_aws.client("lambda").get_function_configuration(FunctionName="hello")
    assert made["CodeSha256"] == sha256(built["package"])


def test_the_commands_are_printed_for_each_function_and_for_any(report: dict[str, Any]) -> None:
    done = run("build", "--project", Path(report["package"]).parents[2]).succeeded()
    assert report["commands"]["create"] in done.out
    assert report["commands"]["update"] in done.out
    assert report["commands"]["functions"]["hello"] in done.out
