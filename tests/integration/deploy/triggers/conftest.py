"""A local AWS, and a project whose only function is there already: what is tested is its wiring."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from integration.deploy.local_aws import CREDENTIALS, LocalAWS
from pyl.deploy.aws import AWS
from pyl.deploy.desired_state import targets_of
from pyl.deploy.plan import Plan, apply_plan, make_plan
from pyl.deploy.triggers import api_resources, find_orphaned_apis, find_orphaned_triggers, trigger_resources
from pyl.progress import Silent
from pyl.project import load_project
from pyl.project.model import Project

HEADER = "[[tool.pyl.functions.fulfil.triggers]]\n"
CODE = """\
from pyl import Context, batch, function

@function
def fulfil(context: Context, event: dict):
    return {batch}
"""


@pytest.fixture(scope="session")
def _aws(_local_aws: LocalAWS) -> AWS:
    """Made once: boto3 takes longer for its clients than the local AWS for its answers."""
    session = boto3.Session(
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )
    return AWS(session=session, region="us-east-1", endpoint=_local_aws.url)


@pytest.fixture
def aws(_aws: AWS, local_aws: LocalAWS) -> AWS:
    """The local AWS, empty, in the region where names are shortest."""
    return _aws


@dataclass(frozen=True)
class Wiring:
    """A project of one function, `fulfil`, that is deployed."""

    folder: Path
    aws: AWS
    local: LocalAWS

    def project(self, triggers: str, *, batch: bool = False, more: str = "") -> Project:
        (self.folder / "app.py").write_text(CODE.format(batch="batch.process(event, print)" if batch else "None"))
        (self.folder / "pyproject.toml").write_text(
            f'[project]\nname = "shop"\n[tool.pyl]\nregion = "us-east-1"\n{more}\n{triggers}'
        )
        return load_project(self.folder, environ={})

    def plan(self, *triggers: str, batch: bool = False, more: str = "") -> Plan:
        project = self.project("".join(f"{HEADER}{text}\n" for text in triggers), batch=batch, more=more)
        (target,) = targets_of(self.aws, project, project.functions)
        wanted, apis = trigger_resources(target), api_resources([target])
        left = find_orphaned_triggers(self.aws, target, wanted)
        return make_plan(self.aws, [*apis, *wanted], [*find_orphaned_apis(self.aws, target.owner, left, apis), *left])

    def deploy(self, *triggers: str, batch: bool = False, more: str = "") -> list[str]:
        """What was done, as verb and kind; doing it again would do nothing."""
        plan = self.plan(*triggers, batch=batch, more=more)
        apply_plan(self.aws, plan, Silent())
        self.local.calls.clear()
        assert self.plan(*triggers, batch=batch, more=more).pending == ()
        assert self.local.calls
        assert self.local.writes == []
        return [str(action) for action in plan.pending]

    def statements(self) -> list[dict[str, Any]]:
        """The function's own policy."""
        client = self.aws.client("lambda")
        try:
            policy = client.get_policy(FunctionName="fulfil")["Policy"]
        except client.exceptions.ResourceNotFoundException:
            return []
        statements: list[dict[str, Any]] = json.loads(policy)["Statement"]
        return statements


ARN = "arn:aws:lambda:us-east-1:123456789012:function:fulfil"


def deployed_function(aws: AWS) -> None:
    """`fulfil`, as a deployment without triggers leaves it."""
    role = aws.client("iam").create_role(RoleName="fulfil", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as package:
        package.writestr("functions.py", "")
    aws.client("lambda").create_function(
        FunctionName="fulfil",
        Role=role,
        Runtime="python3.11",
        Handler="functions.fulfil",
        Timeout=30,
        Code={"ZipFile": code.getvalue()},
    )


@pytest.fixture
def shop(tmp_path: Path, aws: AWS, local_aws: LocalAWS) -> Wiring:
    deployed_function(aws)
    local_aws.calm()
    return Wiring(tmp_path, aws, local_aws)
