"""Dependencies and runtime in a layer: two zips that work together."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest

from integration.projects import HELLO, run, write_project

LAYERED = "import certifi\n" + HELLO.replace("event}", 'event, "from": certifi.__file__}')


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    project = write_project(
        tmp_path_factory.mktemp("layers") / "shop", {"handlers.py": LAYERED}, dependencies=["certifi"]
    )
    made: dict[str, Any] = run("build", "--layer", "--json", "--project", project).succeeded().json
    return made


def names(package: str) -> set[str]:
    with zipfile.ZipFile(package) as archive:
        return {name.split("/")[0] for name in archive.namelist()}


def test_the_package_holds_the_users_code_and_the_layer_the_rest(report: dict[str, Any]) -> None:
    assert names(report["package"]) == {"handlers.py", "functions.py", "__pycache__"}
    assert names(report["layer"]) == {"python"}
    with zipfile.ZipFile(report["layer"]) as layer:
        held = {name.split("/")[1] for name in layer.namelist()}
    assert {"certifi", "msgspec", "pyl"} <= held


def test_both_together_answer_under_awslambdaric(report: dict[str, Any]) -> None:
    project = Path(report["package"]).parents[2]
    answer = run("invoke", "hello", "--project", project, "--data", "[1]").succeeded().json
    assert answer == {"got": [1], "from": "/opt/python/certifi/__init__.py"}


def test_the_commands_publish_the_layer_and_use_its_arn(report: dict[str, Any]) -> None:
    commands = report["commands"]
    assert f"--zip-file fileb://{report['layer']}" in commands["publish_layer"]
    assert commands["publish_layer"].startswith("LAYER_ARN=$(aws lambda publish-layer-version")
    assert "--layers $LAYER_ARN" in commands["create"]


def test_the_package_is_refused_where_its_layer_is_missing(report: dict[str, Any], tmp_path: Path) -> None:
    alone = tmp_path / "interpreted.zip"
    alone.write_bytes(Path(report["package"]).read_bytes())
    project = Path(report["package"]).parents[2]
    done = run("invoke", "hello", "--project", project, "--package", alone, "--data", "1")
    assert done.code == 2
    assert "needs a layer with its dependencies" in done.err


def test_a_build_without_layer_holds_everything_again(report: dict[str, Any], tmp_path: Path) -> None:
    project = Path(report["package"]).parents[2]
    out = run("build", "--json", "--project", project, "--out", tmp_path).succeeded().json
    assert out["layer"] is None
    assert {"certifi", "msgspec", "pyl", "handlers.py"} <= names(out["package"])
