"""`pyl build` passes its options on to the configuration."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from pyl.architecture import Architecture
from pyl.cli import build
from pyl.project.model import Project


class Reached(Exception):
    """The build would start now."""


@pytest.mark.parametrize("architecture", ["x86_64", "arm64"])
def test_architectures_have_the_names_that_aws_gives_them(
    architecture: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.pyl]\nregion = "us-east-1"\n')
    (tmp_path / "handlers.py").write_text("from pyl import function\n\n@function\ndef f(context, event): ...\n")
    projects: list[Project] = []

    def start(project: Project, *_arguments: object, **_options: object) -> None:
        projects.append(project)
        raise Reached

    monkeypatch.setattr(build, "build_interpreted", start)
    result = CliRunner().invoke(build.command, ["--project", str(tmp_path), "--arch", architecture])
    assert isinstance(result.exception, Reached), result.output
    assert projects[0].configuration.architecture is Architecture(architecture)
