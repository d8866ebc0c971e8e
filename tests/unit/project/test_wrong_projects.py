"""Every code has a project that is wrong in exactly that way, and nothing else is said of it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from pyl.errors import ConfigurationError
from pyl.project import examine, load_project
from pyl.project.diagnostics import Code, InvalidProject, render_diagnostic

PROJECTS = Path(__file__).parent.parent / "projects"


def expected(folder: Path) -> tuple[str | None, int | None]:
    """The line that `# <- CODE` marks, or what `expected.json` says where no comment can stand."""
    marked = [
        (file.relative_to(folder).as_posix(), number)
        for file in sorted(folder.rglob("*"))
        if file.suffix in {".py", ".toml"}
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1)
        if re.search(r"# <- PYL\d+$", line)
    ]
    if marked:
        assert len(marked) == 1
        return marked[0]
    place = json.loads((folder / "expected.json").read_text("utf-8"))
    return place["file"], place["line"]


@pytest.mark.parametrize("code", list(Code))
def test_a_wrong_project_gets_exactly_its_code_at_its_line(code: Code) -> None:
    folder = PROJECTS / f"{code}-{code.slug}"
    examination = examine(folder, environ={})
    found = [(d.code, d.location(folder), d.line) for d in examination.diagnostics]
    assert found == [(code, *expected(folder))], [d.message for d in examination.diagnostics]
    assert examination.project is None


@pytest.mark.parametrize("code", list(Code))
def test_a_diagnostic_says_what_is_wrong_and_what_to_do_without_saying_where_twice(code: Code) -> None:
    folder = PROJECTS / f"{code}-{code.slug}"
    (diagnostic,) = examine(folder, environ={}).diagnostics
    assert diagnostic.message
    assert "\n" not in diagnostic.message
    assert diagnostic.hint
    assert code in render_diagnostic(diagnostic, folder)


def test_every_folder_of_wrong_projects_belongs_to_a_code() -> None:
    folders = {folder.name for folder in PROJECTS.iterdir() if folder.is_dir()}
    assert folders == {f"{code}-{code.slug}" for code in Code}


def test_loading_a_wrong_project_fails_with_every_diagnostic_in_the_message() -> None:
    with pytest.raises(InvalidProject) as caught:
        load_project(PROJECTS / "PYL304-unknown-key", environ={})
    assert isinstance(caught.value, ConfigurationError)
    assert caught.value.exit_code == 2
    assert [diagnostic.code for diagnostic in caught.value.diagnostics] == [Code.UNKNOWN_KEY]
    assert "pyproject.toml:7:1: PYL304" in caught.value.message


def test_a_folder_without_pyproject_is_told_the_two_lines_to_add() -> None:
    with pytest.raises(InvalidProject, match=r'\[tool\.pyl\]\n +region = "us-east-1"'):
        load_project(PROJECTS / "PYL301-no-pyproject", environ={})


def test_the_documentation_explains_every_code_once() -> None:
    text = (Path(__file__).parents[3] / "docs" / "diagnostics.md").read_text("utf-8")
    explained = re.findall(r"^\| (PYL\d+) \| ([a-z-]+) \| .+\. \| .+[.)] \|$", text, re.MULTILINE)
    assert explained == [(code.value, code.slug) for code in Code]
