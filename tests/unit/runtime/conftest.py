"""The runtimes that the conformance tests are held against; `integration/conformance` has others."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from unit.runtime.api_server import INTERPRETED, PYL, Pool, Process, RuntimeAPI, RuntimeCommand, with_extension

_EXTENSION = os.environ.get("PYL_TEST_NATIVE")
_OWN = [with_extension(Path(_EXTENSION)) if _EXTENSION else PYL]
"""With `PYL_TEST_NATIVE`, the loop in C is tested instead of the one in Python: `make test-sanitizers`."""


@pytest.fixture(scope="session")
def pool() -> Iterator[Pool]:
    with Pool() as running:
        yield running


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
