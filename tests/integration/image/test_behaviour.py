"""What a program does besides computing works after a restore as in a plain start: each test runs both ways."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from integration.image import packages
from integration.image.lambda_environment import Environment
from pyl.image.create import capture

BEHAVIOUR = Path(__file__).with_name("behaviour.py")
FUNCTIONS = [
    line.removeprefix("def ").partition("(")[0]
    for line in BEHAVIOUR.read_text().splitlines()
    if "(event, context)" in line
]
EXPECTED: dict[str, Callable[[Any], bool]] = {
    "threads": lambda found: found["sum"] == 328350,
    "children": lambda found: found["fork"] == 7 and found["echo"] == "from a child",
    "processes": lambda found: found["squares"] == [0, 1, 4, 9],
    "signals": lambda found: found["received by"] == ["MainThread", "MainThread"],
    "recursion": lambda found: found["python"] == "RecursionError",
    "allocations": lambda found: found["large"] == 96 << 20,
}


@pytest.fixture(scope="module")
def package(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("behaviour") / "package"
    table = {name: f"behaviour:{name}" for name in FUNCTIONS}
    made = packages.with_functions(base, folder, {"behaviour.py": BEHAVIOUR.read_text()}, table)
    result = capture(made, environment={"AWS_REGION": "us-east-1"})
    assert (result.kind, result.reasons) == ("full", ())
    return made


@pytest.mark.parametrize("name", FUNCTIONS)
def test_as_in_a_plain_start(package: Path, run: type[Environment], name: str) -> None:
    with run(package, name, plain=True) as environment:
        plain = [environment.invoke(), environment.invoke()]
    with run(package, name) as environment:
        restored = [environment.invoke(), environment.invoke()]
        assert environment.notices == []
    assert restored == plain
    assert "errorType" not in restored[0]
    assert EXPECTED.get(name, bool)(restored[0])


def test_a_time_zone_that_the_build_did_not_know_is_used(package: Path, run: type[Environment]) -> None:
    answers = []
    for plain in (True, False):
        with run(package, "time_zones", {"TZ": "Asia/Tokyo"}, plain=plain) as environment:
            answers.append(environment.invoke())
    assert answers[0] == answers[1]
    assert answers[1]["names"] == ["JST", "JST"]
