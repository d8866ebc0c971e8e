"""Native packages in the place of the runtimes that the conformance tests are held against."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.conformance.native import NativeCommand, build, starting_plainly
from pyl.sandbox import execution
from unit.runtime.api_server import Pool, Process, RuntimeAPI, RuntimeCommand

LAMBDA = {"LANG": "en_US.UTF-8", "TZ": ":UTC"}
"""As Lambda sets them; the image is guarded by them."""
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what asks awslambdaric only: it has been asked in the unit tests."""
    items[:] = [
        item for item in items if not item.path.is_relative_to(HERE) or "natives" in getattr(item, "fixturenames", ())
    ]


@pytest.fixture(scope="session")
def natives(tmp_path_factory: pytest.TempPathFactory) -> dict[str, NativeCommand]:
    """Packages with and without an image, by how they start."""
    if reason := execution.unavailable():
        pytest.skip(f"native packages run at /var/task, and this machine has no sandbox: {reason}")
    folder = tmp_path_factory.mktemp("conformance")
    package = build(folder / "project")
    return {
        "image": NativeCommand("image", (), environment=LAMBDA, package=package),
        "plain": NativeCommand("plain", (), environment=LAMBDA, package=starting_plainly(package)),
    }


@pytest.fixture(scope="session")
def pool() -> Iterator[Pool]:
    with Pool() as running:
        yield running


@pytest.fixture
def api() -> Iterator[RuntimeAPI]:
    with RuntimeAPI() as running:
        yield running


@pytest.fixture(params=["image", "plain"])
def runtime(natives: dict[str, NativeCommand], request: pytest.FixtureRequest) -> RuntimeCommand:
    """A native package."""
    return natives[request.param]


@pytest.fixture
def either(runtime: RuntimeCommand) -> RuntimeCommand:
    """A native package."""
    return runtime


@pytest.fixture
def echo(api: RuntimeAPI, runtime: RuntimeCommand) -> Iterator[Process]:
    """A running function that returns its event."""
    with runtime.start(api, "echo") as process:
        yield process
