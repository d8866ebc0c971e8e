"""Images that hold native code of wheels, in a package as users build it: numpy, orjson, cryptography, OpenSSL."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integration import projects
from integration.image.lambda_environment import Environment
from pyl.image.capture.world import PROCESS_ID_OFFSET
from pyl.packaging.extraction import unpacked

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("wheels")
    project = shutil.copytree(HERE.parent / "wheels", folder / "wheels", ignore=shutil.ignore_patterns("build"))
    report = projects.run("build", "--native", "--builder", "local", "--json", "--project", project).succeeded().json
    assert report["image"] == {"kind": "full", "reasons": []}
    with unpacked(Path(report["package"])) as task:
        samepid = [sys.executable, "-m", "ziglang", "cc", "-target", "x86_64-linux-musl", "-static", "-O2"]
        subprocess.run([*samepid, "-o", task / "samepid", HERE / "samepid.c"], check=True)
        yield task


def test_native_code_computes_the_same_at_import_in_the_call_and_without_an_image(
    package: Path, run: type[Environment]
) -> None:
    with run(package, "facts") as environment:
        restored = environment.invoke()
        assert environment.notices == []
    with run(package, "facts", plain=True) as environment:
        plain = environment.invoke()
    assert restored["import"] == restored["call"] == plain["call"]


def leaves(answer: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(answer, dict):
        for key, value in answer.items():
            yield from leaves(value, f"{name}/{key}")
    else:
        yield name, json.dumps(answer)


def assert_distinct(answers: list[dict[str, Any]]) -> None:
    seen: dict[str, list[str]] = {}
    for answer in answers:
        for name, text in leaves(answer):
            seen.setdefault(name, []).append(text)
    assert all(len(texts) == len(answers) for texts in seen.values())
    assert [name for name, texts in seen.items() if len(set(texts)) < len(texts)] == []


def test_nothing_random_repeats_among_instances(package: Path, run: type[Environment]) -> None:
    answers = []
    for _ in range(20):
        with run(package, "randoms") as environment:
            answers += [environment.invoke(), environment.invoke()]
    assert_distinct(answers)


def test_nothing_random_repeats_where_the_process_id_is_the_captured_one(package: Path, run: type[Environment]) -> None:
    captured = PROCESS_ID_OFFSET + 3  # the program is the first that asks; what becomes the full image is the third
    command = ["/var/task/samepid", str(captured), "/var/task/bootstrap"]
    with run(package, "process_id", argv=command) as environment:
        assert environment.invoke() == captured
    answers = []
    for _ in range(12):
        with run(package, "randoms", argv=command) as environment:
            answers += [environment.invoke(), environment.invoke()]
    assert_distinct(answers)


def test_what_the_user_seeded_goes_on_from_there_in_each_instance(package: Path, run: type[Environment]) -> None:
    answers = []
    for plain in (False, False, True):
        with run(package, "sequences", plain=plain) as environment:
            answers.append(environment.invoke())
    assert answers[0] == answers[1] == answers[2]
