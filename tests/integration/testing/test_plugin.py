"""The pytest plugin runs the same tests against a project's source and its packages."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from integration.projects import environment, write_project

HANDLERS = """\
import os
from pyl import Context, function
from pyl.events import FunctionURLEvent

@function
def add(context: Context, event):
    print("adding")
    return {"sum": sum(event), "table": os.environ["TABLE"], "custom": custom(context)}

def custom(context):
    return context.client_context.custom if context.client_context else None

@function
def fail(context: Context, event):
    raise ValueError("not today")

@function
def count(context: Context, event, *, calls=[]):
    calls.append(event)
    return len(calls)

@function
def page(context: Context, event: FunctionURLEvent):
    return {"statusCode": 201, "body": event.raw_path + event.query("q", "")}
"""

TESTS = """\
import pytest
from pyl.testing import FunctionError

def test_add(pyl_function, pyl_form):
    add = pyl_function("add", environment={"TABLE": "test"})
    assert add([1, 2], client_context={"custom": {"a": 1}}) == {"sum": 3, "table": "test", "custom": {"a": 1}}
    assert "adding" in add.log
    assert pyl_function("add")([])["table"] == "configured"

def test_fail(pyl_function):
    with pytest.raises(FunctionError, match="ValueError: not today") as caught:
        pyl_function("fail")({})
    assert caught.value.error_type == "ValueError"
    assert "handlers.py" in "".join(caught.value.trace)

def test_count(pyl_function):
    count = pyl_function("count")
    assert [count(), count()] == [1, 2]
    count.stop()
    assert count() == 1

def test_count_again(pyl_function):
    assert pyl_function("count")() == 1

def test_page(pyl_function):
    response = pyl_function("page").request("/a?q=b")
    assert (response.status, response.body) == (201, b"/ab")

def test_unknown(pyl_function):
    with pytest.raises(Exception, match="has no function ad"):
        pyl_function("ad")
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_project(
        tmp_path_factory.mktemp("projects") / "tested",
        {"src/handlers.py": HANDLERS, "tests/test_functions.py": TESTS},
        configuration='[tool.pyl.functions.add]\nenvironment = { TABLE = "configured" }\n',
    )


def pytest_in(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "-W", "error", *arguments],
        cwd=project,
        env=environment(PYL_IMAGE="off"),
        capture_output=True,
        text=True,
    )


def test_functions_run_from_source_unless_told_otherwise(project: Path) -> None:
    done = pytest_in(project)
    assert done.returncode == 0, done.stdout
    assert "test_add[source] PASSED" in done.stdout
    assert "6 passed" in done.stdout


def test_the_same_tests_run_against_a_package(project: Path) -> None:
    done = pytest_in(project, "--pyl", "interpreted", "--pyl", "source")
    assert done.returncode == 0, done.stdout
    assert "test_add[interpreted] PASSED" in done.stdout
    assert "12 passed" in done.stdout


@pytest.mark.compile
def test_the_same_tests_run_against_the_native_package(project: Path) -> None:
    done = pytest_in(project, "--pyl", "native")
    assert done.returncode == 0, done.stdout
    assert "test_add[native] PASSED" in done.stdout
    assert "6 passed" in done.stdout


def test_an_unknown_form_is_refused(project: Path) -> None:
    done = pytest_in(project, "-o", "pyl_forms=compiled")
    assert done.returncode == 4
    assert "unknown form compiled" in done.stderr + done.stdout
