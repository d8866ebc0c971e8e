"""Packages hold pyl's runtime without docstrings, and with the lines that tracebacks name."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from pyl.packaging.contents import copy_runtime, runtime_files
from pyl.packaging.docstrings import blank_docstrings


def _statements(source: str) -> list[str]:
    """All statements but strings on their own, with their lines."""
    return [
        ast.dump(node, include_attributes=False).replace("Constant(value='')", "")
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.stmt)
        if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        if not hasattr(node, "body")
    ]


def _lines(source: str) -> list[tuple[str, int]]:
    return [(type(node).__name__, node.lineno) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.stmt)]


@pytest.mark.parametrize("file", [path for path, _ in runtime_files()], ids=lambda path: path.name)
def test_the_runtime_is_the_same_code_on_the_same_lines(file: Path) -> None:
    source = file.read_text(encoding="utf-8")
    blanked = blank_docstrings(source)
    assert _lines(blanked) == _lines(source)
    assert _statements(blanked) == _statements(source)
    assert not ast.get_docstring(ast.parse(blanked))


def test_docstrings_of_every_kind_are_blanked() -> None:
    source = (
        '"""Module\nof two lines."""\nX = 1\n"""Of X."""\nclass A: "Of ä."; Y = "kept"\n'
        'def f():\n    """Of f.\n\n    More.\n    """\n    return """kept"""\n'
    )
    expected = '""\n\nX = 1\n""\nclass A: ""; Y = "kept"\ndef f():\n    ""\n\n\n\n    return """kept"""\n'
    assert blank_docstrings(source) == expected


def test_packages_get_the_blanked_files(tmp_path: Path) -> None:
    copy_runtime(tmp_path)
    text = (tmp_path / "pyl" / "context.py").read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text)) == ""
    assert "class Context" in text
