"""The runtimes that the conformance tests are held against.

`PYL_CONFORMANCE_RUNTIME="/path/bootstrap"` adds one: any command that serves the folder `project`, for
example a native package's. Its `_HANDLER` and Runtime API come by environment variables, as Lambda gives them.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator

import pytest

from unit.runtime.api_server import INTERPRETED, PYL, Process, RuntimeAPI, RuntimeCommand

_OWN = [PYL]
if _given := os.environ.get("PYL_CONFORMANCE_RUNTIME"):
    _OWN.append(RuntimeCommand(name="given", argv=tuple(shlex.split(_given))))


@pytest.fixture
def api() -> Iterator[RuntimeAPI]:
    with RuntimeAPI() as running:
        yield running


@pytest.fixture(params=_OWN, ids=lambda command: command.name)
def runtime(request: pytest.FixtureRequest) -> RuntimeCommand:
    """A runtime that speaks with the Runtime API itself."""
    command: RuntimeCommand = request.param
    return command


@pytest.fixture(params=[*_OWN, INTERPRETED], ids=lambda command: command.name)
def either(request: pytest.FixtureRequest) -> RuntimeCommand:
    """A runtime of pyl's, or pyl under AWS's: what handlers see must not depend on it."""
    command: RuntimeCommand = request.param
    return command


@pytest.fixture
def echo(api: RuntimeAPI, runtime: RuntimeCommand) -> Iterator[Process]:
    """A running function that returns its event."""
    with runtime.start(api, "echo") as process:
        yield process
