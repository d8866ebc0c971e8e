"""A local AWS, and a project whose only function is there already: what is tested is its wiring."""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pyl.deploy.aws import AWS, connect
from pyl.deploy.plan import Plan, apply_plan, make_plan
from pyl.deploy.triggers import api_resources, left_apis, left_triggers, trigger_resources
from pyl.deploy.wanted import targets_of
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
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of moto's server on the loopback."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (tmp_path_factory.mktemp("moto") / "log").open("w")
    script = Path(__file__).with_name("moto_server.py")
    with log, subprocess.Popen([sys.executable, script, "-H", "127.0.0.1", "-p", str(port)], stderr=log) as process:
        try:
            while process.poll() is None:
                try:
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                except OSError:
                    time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


@pytest.fixture
def credentials(server: str, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    """Variables that lead to an empty account there, and nowhere else."""
    request = urllib.request.Request(f"{server}/moto-api/reset", method="POST")
    urllib.request.urlopen(request).close()
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    variables = {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_ENDPOINT_URL": server,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables


@pytest.fixture
def aws(credentials: Mapping[str, str]) -> AWS:
    return connect(region="us-east-1", environ=credentials)


@dataclass(frozen=True)
class Wiring:
    """A project of one function, `fulfil`, that is deployed."""

    folder: Path
    aws: AWS

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
        left = left_triggers(self.aws, target, wanted)
        return make_plan(self.aws, [*apis, *wanted], [*left_apis(self.aws, target.owner, left, apis), *left])

    def deploy(self, *triggers: str, batch: bool = False, more: str = "") -> list[str]:
        """What was done, as verb and kind; doing it again would do nothing."""
        plan = self.plan(*triggers, batch=batch, more=more)
        apply_plan(self.aws, plan, Silent())
        assert self.plan(*triggers, batch=batch, more=more).pending == ()
        return [str(action) for action in plan.pending]

    def statements(self) -> list[dict[str, Any]]:
        """The function's own policy."""
        client = self.aws.client("lambda")
        try:
            return json.loads(client.get_policy(FunctionName="fulfil")["Policy"])["Statement"]
        except client.exceptions.ResourceNotFoundException:
            return []


ARN = "arn:aws:lambda:us-east-1:123456789012:function:fulfil"


@pytest.fixture
def shop(tmp_path: Path, aws: AWS) -> Wiring:
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
    return Wiring(tmp_path, aws)
