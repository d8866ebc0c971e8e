"""Bytecode is valid whatever date sources have in the zip."""

from __future__ import annotations

import importlib.util
import marshal
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pyl.packaging import bytecode


def test_bytecode_is_used_although_the_source_has_another_date(tmp_path: Path) -> None:
    source = tmp_path / "module.py"
    source.write_text("value = 'compiled'")
    bytecode.compile_tree(tmp_path, prefix="/var/task", keep_sources=True)
    source.write_text("value = 'changed since'")
    os.utime(source, (0, 315_532_800))
    shown = subprocess.run(
        [sys.executable, "-c", "import module; print(module.value)"], cwd=tmp_path, capture_output=True, text=True
    )
    assert shown.stdout == "compiled\n"


def test_bytecode_without_sources_stands_where_python_imports_it_from(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("value = 3")
    bytecode.compile_tree(tmp_path, prefix="/x", keep_sources=False, legacy=True)
    assert [path.name for path in (tmp_path / "package").iterdir()] == ["__init__.pyc"]
    shown = subprocess.run(
        [sys.executable, "-c", "import package; print(package.value)"], cwd=tmp_path, capture_output=True, text=True
    )
    assert shown.stdout == "3\n"


def test_bytecode_names_the_place_in_lambda_and_not_this_machine(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text("def f(): pass")
    bytecode.compile_tree(tmp_path, prefix="/var/task", keep_sources=True)
    cached = Path(importlib.util.cache_from_source(str(tmp_path / "module.py")))
    assert marshal.loads(cached.read_bytes()[16:]).co_filename == "/var/task/module.py"
    assert str(tmp_path).encode() not in cached.read_bytes()


def test_a_file_that_does_not_compile_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "template.py").write_text("def {{ name }}():")
    bytecode.compile_tree(tmp_path, prefix="/x", keep_sources=False, legacy=True)
    assert [path.name for path in tmp_path.iterdir()] == ["template.py"]


SOURCE = '''"""A module."""
def documented():
    """A function."""
    return 1 + broken
class Documented: "A class."
'''


def loaded(folder: Path, *, keep_docstrings: bool) -> dict[str, Any]:
    (folder / "module.py").write_text(SOURCE)
    bytecode.compile_tree(folder, prefix="/x", keep_sources=False, legacy=True, keep_docstrings=keep_docstrings)
    names: dict[str, Any] = {}
    exec(marshal.loads((folder / "module.pyc").read_bytes()[16:]), names)
    return names


def docstrings(names: dict[str, Any]) -> list[str | None]:
    return [names.get("__doc__"), names["documented"].__doc__, names["Documented"].__doc__]


def test_docstrings_are_left_out_only_where_that_is_asked_for(tmp_path: Path) -> None:
    assert docstrings(loaded(tmp_path, keep_docstrings=True)) == ["A module.", "A function.", "A class."]
    assert docstrings(loaded(tmp_path, keep_docstrings=False)) == [None, None, None]


@pytest.mark.parametrize("keep_docstrings", [True, False])
def test_bytecode_without_sources_knows_lines_and_no_columns(tmp_path: Path, keep_docstrings: bool) -> None:
    code = loaded(tmp_path, keep_docstrings=keep_docstrings)["documented"].__code__
    assert {line for *_, line in code.co_lines()} == {2, 4}
    assert {column for _, _, *columns in code.co_positions() for column in columns} == {None}
