"""The files of pyl that packages contain."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyl.packaging.contents import runtime_files

FILES = {path.as_posix(): source for source, path in runtime_files()}


def module_file(module: str) -> str | None:
    """Return the packaged file of a module or package."""
    path = module.replace(".", "/")
    return next((file for file in (f"{path}.py", f"{path}/__init__.py") if file in FILES), None)


def imported_files(source: Path) -> Iterator[tuple[str, str | None]]:
    """Yield each module of pyl that a file imports, with its packaged file."""
    for node in ast.walk(ast.parse(source.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, module_file(alias.name)) for alias in node.names if alias.name.startswith("pyl."))
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] == "pyl":
            yield node.module, module_file(node.module)


@pytest.mark.parametrize("file", FILES)
def test_packaged_modules_import_packaged_modules_only(file: str) -> None:
    assert [module for module, packaged in imported_files(FILES[file]) if packaged is None] == []


@pytest.mark.parametrize("file", ["pyl/events/edits.py", "pyl/events/samples.py"])
def test_what_only_commands_use_is_not_packaged(file: str) -> None:
    assert file not in FILES
    assert "pyl/events/sqs.py" in FILES
