"""Rooms import downwards only: the order below is the architecture, and no module imports in a circle."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import pyl

ROOT = Path(pyl.__file__).parent

ORDER = (
    ("errors", "progress", "architecture", "lambda_environment"),
    ("lambda_facts", "process", "cache"),
    ("json",),
    ("context", "function", "hooks", "events"),
    ("responses", "batch"),
    ("runtime",),
    ("project",),
    ("sandbox", "toolchain"),
    ("image",),
    ("packaging",),
    ("emulator",),
    ("deploy",),
    ("templates",),
    ("bench", "doctor", "scaffold"),
    ("cli",),
    ("testing",),
)
"""From the ground up. A room imports rooms of earlier lines, and itself."""

LONGEST_MODULE = 350
"""Lines."""


def _modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(ROOT.rglob("*.py")):
        relative = path.relative_to(ROOT)
        if relative.parts[:2] != ("scaffold", "templates"):
            yield ".".join(relative.with_suffix("").parts).removesuffix(".__init__"), path


@functools.cache
def _imports() -> dict[str, frozenset[str]]:
    """Module to the modules of pyl that it imports anywhere, also lazily and for type checkers."""
    names = {name for name, _ in _modules()}
    imports = {}
    for name, path in _modules():
        imported = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "pyl":
                base = (node.module or "").removeprefix("pyl").removeprefix(".")
                for alias in node.names:
                    member = f"{base}.{alias.name}".removeprefix(".")
                    imported.add(member if member in names else base)
        imports[name] = frozenset(imported - {"", "__init__", name})
    return imports


def _room(module: str) -> str:
    return module.partition(".")[0]


def test_every_room_has_its_place_in_the_order() -> None:
    rooms = {_room(module) for module in _imports()} - {"__init__"}
    assert rooms == {room for line in ORDER for room in line}


def test_rooms_import_downwards_only() -> None:
    level = {room: number for number, line in enumerate(ORDER) for room in line}
    upward = [
        f"{module} imports {imported}"
        for module, imports in _imports().items()
        for imported in imports
        if module != "__init__" and _room(module) != _room(imported)
        if level[_room(imported)] >= level[_room(module)]
    ]
    assert upward == []


def test_no_module_is_part_of_a_circle() -> None:
    try:
        TopologicalSorter(_imports()).prepare()
    except CycleError as error:
        pytest.fail(f"circular import: {' -> '.join(error.args[1])}")


def test_no_module_is_too_long_to_be_read_at_once() -> None:
    lengths = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in _modules()}
    assert {name: length for name, length in lengths.items() if length > LONGEST_MODULE} == {}
