"""Native packages are deployed, and functions move between the kinds."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from integration.deploy.local_aws import LocalAWS
from integration.deploy.test_functions import deploy, function, sha256
from integration.projects import Built
from pyl.packaging.lifecycle import LIFECYCLES, runtime_for, today

NATIVE = runtime_for("provided.al2", today())


@pytest.fixture
def hello(example: Callable[[str], Built]) -> Built:
    return example("hello")


def test_a_function_moves_from_interpreted_to_native_and_back(local_aws: LocalAWS, hello: Built) -> None:
    client = local_aws.client("lambda")
    interpreted, native = (hello.package(kind) for kind in ("interpreted", "native"))
    managed = hello.reports["interpreted"]["runtime"]
    for package, runtime in ((interpreted, managed), (native, NATIVE), (interpreted, managed)):
        done = deploy(local_aws, hello.project, package, "hello", "--yes").succeeded()
        configuration = function(local_aws)["Configuration"]
        assert (configuration["CodeSha256"], configuration["Runtime"]) == (sha256(package), runtime)
        assert configuration["Handler"] == "functions.hello"
    assert f"runtime: {NATIVE} → {managed}" in done.out
    assert len(client.list_functions()["Functions"]) == 1


def test_the_end_of_a_runtime_is_told_in_one_line(local_aws: LocalAWS, hello: Built) -> None:
    done = deploy(local_aws, hello.project, hello.package("native"), "--dry-run").succeeded()
    told = [line for line in done.err.splitlines() if "provided.al2 " in line]
    assert len(told) == (1 if today() >= LIFECYCLES["provided.al2"].deprecated else 0)


def test_a_native_package_is_for_one_architecture(local_aws: LocalAWS, hello: Built, tmp_path: Path) -> None:
    project = shutil.copytree(hello.project, tmp_path / "arm")
    done = deploy(local_aws, project, hello.package("native"), "--yes", PYL_ARCHITECTURE="arm64")
    assert (done.code, local_aws.writes) == (2, [])
    assert "is for x86_64, but the functions are for arm64" in done.err
