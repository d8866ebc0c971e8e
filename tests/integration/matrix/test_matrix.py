"""Images of real packages, restored on emulated machines: every kernel and kind of processor that Lambda may have.

Takes long and downloads kernels, so only `make test-matrix` runs it. QEMU emulates the processors in software: they
lack what their models lack, AVX-512 above all, and images taken on a larger one must do without.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from integration import projects
from integration.image.lambda_environment import Environment
from integration.matrix import kernels, machine
from integration.matrix.machine import Call
from pyl.packaging.extraction import unpacked

pytestmark = [
    pytest.mark.skipif("PYL_MATRIX" not in os.environ, reason="takes long: make test-matrix"),
    pytest.mark.skipif(not shutil.which(machine.EMULATOR), reason=f"{machine.EMULATOR} is not installed"),
]

ORDER = json.loads((projects.EXAMPLES / "orders" / "events" / "order.json").read_text())
CALLS = (
    Call("hello", "hello", {"name": "matrix"}, {}),
    Call("orders", "order", ORDER, {"ORDERS_BUCKET": "example-orders"}),  # from the disk
    Call("orders", "order", ORDER, {"ORDERS_BUCKET": "example-orders"}),  # from what the first has left in memory
    Call("wheels", "facts", {}, {}),
    Call("wheels", "randoms", {}, {}),
    Call("wheels", "randoms", {}, {}),
)
PROJECTS = {
    "hello": projects.EXAMPLES / "hello",
    "orders": projects.EXAMPLES / "orders",
    "wheels": Path(__file__).parent.parent / "wheels",
}
KEPT = projects.ROOT / ".tools" / "kernels"
_seen: dict[str, list[str]] = {}


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    folder = tmp_path_factory.mktemp("matrix")
    with ExitStack() as kept:
        found = {}
        for name, source in PROJECTS.items():
            project = shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("build"))
            report = (
                projects.run("build", "--native", "--builder", "local", "--json", "--project", project).succeeded().json
            )
            assert report["image"]["kind"] == "full", report["image"]
            found[name] = kept.enter_context(unpacked(Path(report["package"])))
        yield found


@pytest.fixture(scope="session")
def init(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("machine") / "init"
    machine.build_init(found)
    return found


@pytest.fixture(scope="session")
def disk(packages: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("disk") / "disk"
    machine.disk(found, packages)
    return found


@pytest.fixture(scope="session")
def expected(packages: dict[str, Path]) -> dict[tuple[str, str], Any]:
    """What this machine, on which the images were taken, answers."""
    answers = {}
    for call in CALLS:
        environment = {"AWS_DEFAULT_REGION": "us-east-1", **call.environment}
        with Environment(packages[call.package], call.function, environment) as started:
            answers[call.package, call.function] = started.invoke(call.event)
            assert started.notices == []
    return answers


@pytest.mark.parametrize("processor", ["Haswell", "Skylake-Server", "EPYC", "max"])
@pytest.mark.parametrize("version", kernels.RELEASES)
def test_every_function_answers_from_its_image(
    version: str, processor: str, init: Path, disk: Path, expected: dict[tuple[str, str], Any], tmp_path: Path
) -> None:
    KEPT.mkdir(parents=True, exist_ok=True)
    kernel, files = kernels.kernel(version, KEPT), tmp_path / "files.cpio"
    machine.file_tree(files, init, kernel.modules, CALLS)
    printed = machine.boot(kernel.file, processor, files, disk)
    found = list(machine.results(printed))
    assert [(outcome, package, function) for outcome, package, function, _ in found] == [
        ("answer", call.package, call.function) for call in CALLS
    ], printed[-4000:]
    assert "pyl.launcher" not in printed, "every start was from the full image"
    for _, package, function, answer in found:
        if function == "order":
            assert "X-Amz-Credential=AKIAEMULATED" in answer.pop("upload_url")
            assert answer.items() <= expected[package, function].items()
        elif function == "randoms":
            _look_for_repetition(answer)
        else:
            assert answer == expected[package, function]


def _look_for_repetition(answer: dict[str, Any]) -> None:
    for name, value in answer.items():
        text = json.dumps(value)
        assert text not in _seen.setdefault(name, [])
        _seen[name].append(text)
