"""Modules of the runtime import only what comes earlier in the list of the package's docstring."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

import pyl
from pyl.packaging import contents

ROOT = Path(pyl.__file__).parent
PARTS = [
    "errors",
    "import_hooks",
    "logging",
    "handlers",
    "loop",
    "restore",
    "bootstrap",
    "native",
    "__main__",
]
"""Lower first, as in `pyl.runtime`'s docstring."""


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_name(path): path for path, _ in contents.runtime_files()}


def imports(name: str) -> Iterator[str]:
    """Modules of pyl that a module imports: at once, lazily, or for type checkers."""
    for node in ast.walk(ast.parse(MODULES[name].read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (
                full if (full := f"{node.module}.{alias.name}") in MODULES else node.module for alias in node.names
            )


@functools.cache
def graph() -> dict[str, set[str]]:
    return {name: {each for each in imports(name) if each in MODULES and each != name} for name in MODULES}


def part(name: str) -> int | None:
    """Position of a runtime module in the list."""
    return PARTS.index(name.split(".")[2]) if name.startswith("pyl.runtime.") else None


@pytest.mark.parametrize("name", [name for name in MODULES if part(name) is not None])
def test_a_module_of_the_runtime_imports_nothing_above_it(name: str) -> None:
    own = part(name)
    assert own is not None
    assert [each for each in graph()[name] if (part(each) or 0) > own] == []


def test_the_docstring_lists_the_parts_in_this_order() -> None:
    docstring = ast.get_docstring(ast.parse(MODULES["pyl.runtime"].read_text("utf-8"))) or ""
    places = [docstring.find(f"`{name}`") for name in PARTS]
    assert places == sorted(places)
    assert min(places) > 0


def test_what_the_runtime_is_built_on_does_not_import_it() -> None:
    assert {
        name: upward
        for name, imported in graph().items()
        if not name.startswith("pyl.runtime")
        and (upward := {each for each in imported if each.startswith("pyl.runtime")})
    } == {}


def test_no_import_is_circular() -> None:
    remaining = dict(graph())
    while leaves := [name for name, imported in remaining.items() if not imported & remaining.keys()]:
        for name in leaves:
            del remaining[name]
    assert sorted(remaining) == []
