"""A real container engine, a Debian base image in it, and what is built with both, once for all tests."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import pytest

from integration.projects import Done, copy_example, run
from pyl import cache
from pyl.errors import EngineError
from pyl.packaging.container.engine import Engine

BASE_IMAGE = "pyl-test-base:bookworm"
BASE_PYTHON = "/usr/bin/python3"
CANARY = "canary4711"
SECRETS = {
    "AWS_SECRET_ACCESS_KEY": CANARY,
    "UV_INDEX_COMPANY_PASSWORD": CANARY,
    "MY_TOKEN": CANARY,
    # What no host may be reached by: so nothing here goes through it.
    "HTTP_PROXY": f"http://user:{CANARY}@127.0.0.1:9",
    "NO_PROXY": "*",
}
_START_LIMIT = 60.0


@dataclass(frozen=True)
class Builder:
    """How `pyl` is told to build in the engine that the tests use."""

    client: Any
    variables: Mapping[str, str]

    def pyl(self, *arguments: str | Path, **variables: str) -> Done:
        return run(*arguments, **{**self.variables, **variables})

    def build(self, project: Path, *options: str, **variables: str) -> Done:
        return self.pyl("build", "--native", "--json", "--project", project, *options, **variables)

    def containers(self) -> list[str]:
        """Containers that builds have left behind."""
        found = self.client.containers.list(all=True, filters={"label": "pyl=build"}, ignore_removed=True)
        return [container.name for container in found]


@pytest.fixture(scope="session")
def engine() -> Iterator[str]:
    """Address of a container engine: the one that answers, else one that is started for the tests."""
    address = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    if _answers(address):
        yield address
        return
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("no container engine answers, and only root on Linux can start one")
    if not shutil.which("dockerd"):
        pytest.skip("no container engine answers, and dockerd is not installed")
    folder = Path(tempfile.mkdtemp(prefix="pyl-engine-"))
    try:
        yield from _started(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _started(folder: Path) -> Iterator[str]:
    address = f"unix://{folder}/docker.sock"
    places = {"data-root": "data", "exec-root": "exec", "pidfile": "pid"}
    options = [f"--{option}={folder / name}" for option, name in places.items()]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(["dockerd", f"--host={address}", *options], stdout=log, stderr=log)
    try:
        end = time.monotonic() + _START_LIMIT
        while not _answers(address):
            if process.poll() is not None or time.monotonic() > end:
                pytest.skip(f"dockerd does not start here:\n{(folder / 'log').read_text()[-2000:]}")
            time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait()


def _answers(address: str) -> bool:
    try:
        with Engine.connect({"DOCKER_HOST": address}):
            return True
    except EngineError:
        return False


@pytest.fixture(scope="session")
def client(engine: str) -> Iterator[Any]:
    """The engine by its own client."""
    client = docker.DockerClient(base_url=engine, timeout=600)
    yield client
    client.close()


@pytest.fixture(scope="session")
def builder(engine: str, client: Any) -> Iterator[Builder]:
    """A builder on Debian, which stands for Amazon Linux where no registry can be reached."""
    if not shutil.which("debootstrap"):
        pytest.skip("debootstrap, which makes the base image, is not installed")
    made = _base_image(client)
    variables = {
        "DOCKER_HOST": engine,
        "PYL_BUILDER": "auto",
        "PYL_BASE_IMAGE": BASE_IMAGE,
        "PYL_BASE_PYTHON": BASE_PYTHON,
        **SECRETS,
    }
    yield Builder(client, variables)
    run("cache", "clean", DOCKER_HOST=engine, PYL_CACHE_DIR=tempfile.gettempdir() + "/pyl-no-cache")
    if made:
        client.images.remove(BASE_IMAGE, force=True)


def _base_image(client: Any) -> bool:
    """Make the base image; False when the engine has it from an earlier run."""
    if client.images.list(BASE_IMAGE):
        return False
    folder = cache.entry("test-base", cache.key("bookworm python3-dev 1"), _bootstrap)
    with (folder / "root.tar").open("rb") as archive:
        repository, tag = BASE_IMAGE.split(":")
        client.api.import_image_from_data(archive, repository=repository, tag=tag)
    return True


def _bootstrap(folder: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="pyl-debian-") as root:
        include = "--include=python3,python3-dev,ca-certificates"
        for command in (
            ["debootstrap", "--variant=minbase", include, "bookworm", f"{root}/debian"],
            ["tar", "-C", f"{root}/debian", "-cf", str(folder / "root.tar"), "."],
        ):
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                pytest.skip(f"{command[0]} does not work here:\n{(done.stdout + done.stderr)[-2000:]}")


@dataclass(frozen=True)
class Made:
    """An example that was built in the container, with its process image."""

    project: Path
    report: Mapping[str, Any]

    @property
    def package(self) -> Path:
        return Path(self.report["package"])


@pytest.fixture(scope="session")
def example(builder: Builder, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Made]:
    """Examples by name, each built at its first use; in a folder with a space in its name."""
    folder = tmp_path_factory.mktemp("in the container")

    @functools.cache
    def build(name: str) -> Made:
        project = copy_example(name, folder)
        return Made(project, builder.build(project).succeeded().json)

    return build
