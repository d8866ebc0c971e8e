"""Functions that are configured with different environments start from full images of their own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from integration.image import packages
from integration.image.lambda_environment import Environment
from pyl.image.create import FunctionFacts, capture
from pyl.image.file import description
from pyl.image.result import CaptureResult
from pyl.lambda_facts import Deployment

ORDERS = """
import os, time
table, imported = os.environ["TABLE"], time.time()
def orders(event, context): return ["orders", table, imported, os.environ["TABLE"]]
"""
PAPERS = """
import os, time
bucket, imported = os.environ["BUCKET"], time.time()
def papers(event, context): return ["papers", bucket, imported, os.environ.get("LATE")]
def copies(event, context): return ["copies", bucket, imported, os.environ.get("LATE")]
"""
FUNCTIONS = {"orders": "orders_module:orders", "papers": "papers_module:papers", "copies": "papers_module:copies"}
CONFIGURED: dict[str, Mapping[str, str]] = {
    "orders": {"TABLE": "orders", "LATE": "1"},
    "papers": {"BUCKET": "papers", "LATE": "2"},
    "copies": {"BUCKET": "papers", "LATE": "3"},
}


def facts(configured: Mapping[str, Mapping[str, str]]) -> dict[str, FunctionFacts]:
    return {
        name: FunctionFacts(variables, Deployment(function="under-test", handler=f"functions.{name}", memory=512))
        for name, variables in configured.items()
    }


@pytest.fixture(scope="module")
def made(base: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, CaptureResult]:
    folder = tmp_path_factory.mktemp("groups") / "package"
    sources = {"orders_module.py": ORDERS, "papers_module.py": PAPERS}
    package = packages.with_functions(base, folder, sources, FUNCTIONS)
    return package, capture(package, environment={"AWS_REGION": "us-east-1"}, functions=facts(CONFIGURED))


def test_functions_are_grouped_by_the_values_of_what_was_read(made: tuple[Path, CaptureResult]) -> None:
    package, result = made
    assert (result.kind, result.reasons) == ("full", ())
    assert result.groups == (("orders",), ("copies", "papers"))
    assert description.read(package)["groups"] == [["orders"], ["copies", "papers"]]


def test_each_function_starts_from_the_image_of_its_environment(
    made: tuple[Path, CaptureResult], run: type[Environment]
) -> None:
    package, _ = made
    for name, variables in CONFIGURED.items():
        answers = []
        for _ in range(2):
            with run(package, name, variables) as environment:
                answers.append(environment.invoke())
                assert environment.notices == []
        assert answers[0] == answers[1], "imported at the build"
        assert answers[0][:2] == [name, variables.get("TABLE") or variables["BUCKET"]]
        assert answers[0][3] == (variables["LATE"] if "BUCKET" in variables else "orders")


def test_another_function_of_the_package_in_that_environment_answers_too(
    made: tuple[Path, CaptureResult], run: type[Environment]
) -> None:
    package, _ = made
    both = {**CONFIGURED["papers"], **CONFIGURED["orders"]}
    with run(package, "papers", both) as environment:
        assert environment.invoke()[:2] == ["papers", "papers"]


def test_a_value_that_no_function_is_configured_with_gives_the_base_image(
    made: tuple[Path, CaptureResult], run: type[Environment]
) -> None:
    package, _ = made
    with run(package, "orders", {"TABLE": "other", "LATE": "1"}) as environment:
        assert environment.invoke()[:2] == ["orders", "other"]
        (notice,) = environment.notices
        assert (notice["guard"], notice["instead"]) == ("TABLE", "base image")


def test_what_is_read_in_the_call_only_takes_no_further_images(base: Path, tmp_path: Path) -> None:
    source = "import os\ndef a(event, context): return os.environ['X']\ndef b(event, context): return os.environ['X']\n"
    table = {name: f"handlers:{name}" for name in "ab"}
    package = packages.with_functions(base, tmp_path / "package", {"handlers.py": source}, table)
    result = capture(package, environment={}, functions=facts({"a": {"X": "1"}, "b": {"X": "2"}}))
    assert (result.kind, result.groups) == ("full", ())
