"""The examples do what they say: their own tests pass, and `pyl check` has nothing to say about them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = sorted(file.parent.name for file in EXAMPLES.glob("*/pyproject.toml"))


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTEST_"))}
    environ |= {"PYTHONPATH": "src", "PYTHONDONTWRITEBYTECODE": "1", "NO_COLOR": "1"}
    return subprocess.run([sys.executable, "-m", *arguments], cwd=folder, env=environ, capture_output=True, text=True)


def test_there_is_an_example_for_every_trigger_of_the_seed() -> None:
    assert {"hello", "sqs", "s3", "dynamodb", "ses", "apigateway", "orders"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_tests_of_the_example_pass(name: str) -> None:
    done = run("pytest", "-q", "-W", "error", "-p", "no:cacheprovider", "tests", folder=EXAMPLES / name)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_the_example_has_no_problems(name: str) -> None:
    code = "from pyl.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "check", "--json", "--project", str(EXAMPLES / name)],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, json.loads(done.stdout)) == (0, [])


@pytest.mark.parametrize("name", NAMES)
def test_every_function_of_the_example_has_an_event(name: str) -> None:
    table = tomllib.loads((EXAMPLES / name / "pyproject.toml").read_text())["tool"]["pyl"]
    assert table["region"] == "us-east-1"
    for function in table["functions"].values():
        json.loads((EXAMPLES / name / function["event"]).read_text())
    assert (EXAMPLES / name / "README.md").is_file()
