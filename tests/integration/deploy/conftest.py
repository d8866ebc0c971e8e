"""One local AWS for all tests of deployment, empty at the start of each."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.deploy.local_aws import LocalAWS, moto_server, proxied
from integration.projects import HELLO, run, write_project

TWO = {"app.py": HELLO, "more.py": HELLO.replace("def hello", "def other")}


@pytest.fixture(scope="session")
def _local_aws() -> Iterator[LocalAWS]:
    with moto_server() as server, proxied(server) as local:
        yield local


@pytest.fixture
def local_aws(_local_aws: LocalAWS) -> Iterator[LocalAWS]:
    """A local AWS with nothing in it, behind a proxy that counts calls and fails them when told to."""
    _local_aws.forget()
    yield _local_aws
    _local_aws.calm()


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreted package, for `pyl deploy --package`; its functions are `hello` and `other`."""
    project = write_project(tmp_path_factory.mktemp("package") / "hello", TWO)
    return Path(run("build", "--json", "--project", project).succeeded().json["package"])


@pytest.fixture(scope="session")
def other_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with a change in its code."""
    changed = {**TWO, "app.py": HELLO.replace('"got"', '"received"')}
    project = write_project(tmp_path_factory.mktemp("package") / "hello", changed)
    return Path(run("build", "--json", "--project", project).succeeded().json["package"])


@pytest.fixture(scope="session")
def large_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose package is over 50 MB: it holds what cannot be compressed."""
    project = write_project(tmp_path_factory.mktemp("large") / "hello", TWO)
    (project / "model.bin").write_bytes(random.Random(7).randbytes(52 * 1024 * 1024))
    return project


@pytest.fixture(scope="session")
def large_package(large_project: Path) -> Path:
    """The package of it."""
    return Path(run("build", "--json", "--project", large_project).succeeded().json["package"])
