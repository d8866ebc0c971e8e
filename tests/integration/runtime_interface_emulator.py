"""Runs packages under AWS's Runtime Interface Emulator, at /var/task, without a container."""

from __future__ import annotations

import contextlib
import http.client
import os
import platform
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from pyl.emulator import managed_runtime
from pyl.lambda_environment import RUNTIME_ROOT
from pyl.packaging.extraction import unpacked
from pyl.sandbox import execution

_MACHINE = {"x86_64": "x86_64", "aarch64": "arm64"}[platform.machine()]
FOLDER = Path(__file__).parents[2] / ".tools" / "aws-sam-cli" / "samcli" / "local" / "rapid"
PROGRAM = f"aws-lambda-rie-{_MACHINE}"
PLACE = "/var/rie"
_START_LIMIT = 30.0


def invoke(package: Path, name: str, event: bytes, variables: Mapping[str, str] | None = None) -> bytes:
    """The answer of the function `name` to `event`; a handler's error is an answer, too."""
    if not (FOLDER / PROGRAM).is_file():
        pytest.skip("the emulator's program is installed by `make test`")
    if why := execution.unavailable():
        pytest.skip(f"no mount namespace: {why}")
    with unpacked(package) as task, _served(task, name, variables or {}) as port:
        return _post(port, event)


@contextlib.contextmanager
def _served(task: Path, name: str, variables: Mapping[str, str]) -> Iterator[int]:
    port, api_port = _free_port(), _free_port()
    binds = {PLACE: FOLDER}
    environment = {
        "_HANDLER": f"functions.{name}",
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_TIMEOUT": "30",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "PATH": "/usr/bin:/bin",
        **variables,
    }
    if (task / "bootstrap").exists():
        runtime = ["/var/task/bootstrap"]
    else:
        binds[RUNTIME_ROOT] = managed_runtime.install_awslambdaric()
        environment["PYTHONPATH"] = RUNTIME_ROOT
        python = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
        runtime = [python, "-S", "-m", "awslambdaric", f"functions.{name}"]
    options = ["--runtime-interface-emulator-address", f"127.0.0.1:{port}"]
    options += ["--runtime-api-address", f"127.0.0.1:{api_port}"]
    command = [f"{PLACE}/{PROGRAM}", *options, *runtime]
    process = subprocess.Popen(
        execution.command(command, task=task, binds=binds, environment=environment),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield port
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _post(port: int, event: bytes) -> bytes:
    end = time.monotonic() + _START_LIMIT
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request("POST", "/2015-03-31/functions/function/invocations", event)
            return connection.getresponse().read()
        except ConnectionRefusedError:
            assert time.monotonic() < end, "the emulator does not listen"
            time.sleep(0.05)
        finally:
            connection.close()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
