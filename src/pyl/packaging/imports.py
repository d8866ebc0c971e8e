"""Finds the modules that Python code imports, in its syntax tree, without running it."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Import:
    """One import of a module."""

    module: str
    """Absolute dotted name. `from a import b` is two imports, `a` and `a.b`."""
    line: int
    needed: bool
    """Whether the importing module fails to load when this one is missing."""
    is_member: bool = False
    """True for the `a.b` of `from a import b`, which may not be a module."""


def parse(path: Path) -> ast.Module:
    """Return the syntax tree of the file at `path`; an empty one if it has syntax errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about invalid escapes in other people's strings
        try:
            return ast.parse(path.read_bytes())
        except (SyntaxError, ValueError, RecursionError):
            return ast.Module(body=[], type_ignores=[])


def read(path: Path, module: str) -> list[Import]:
    """Return every import of the module `module`, whose file is at `path`; none if it has syntax errors."""
    package = module if path.stem == "__init__" else module.rpartition(".")[0]
    return list(_walk(parse(path).body, package, needed=True))


def string_constants(path: Path) -> set[str]:
    """Return every string constant in the file at `path` that could be a module's name."""
    return {
        node.value
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and all(part.isidentifier() for part in node.value.split("."))
    }


def _walk(body: list[ast.stmt], package: str, *, needed: bool) -> Iterator[Import]:
    for statement in body:
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                yield Import(module=alias.name, line=statement.lineno, needed=needed)
        elif isinstance(statement, ast.ImportFrom):
            yield from _from(statement, package, needed)
        elif isinstance(statement, ast.If) and _is_not_for_importers(statement.test):
            yield from _walk(statement.orelse, package, needed=needed)
        else:
            # Imports in functions, or where their failure may be caught, are not needed to load the module.
            certain = needed and isinstance(statement, (ast.With, ast.ClassDef, ast.If))
            for block in _blocks(statement):
                yield from _walk(block, package, needed=certain and not isinstance(statement, ast.If))


def _from(statement: ast.ImportFrom, package: str, needed: bool) -> Iterator[Import]:
    base = statement.module or ""
    if statement.level:
        parts = package.split(".") if package else []
        parents = parts[: len(parts) - (statement.level - 1)]
        base = ".".join([*parents, base] if base else parents)
    if base:
        yield Import(module=base, line=statement.lineno, needed=needed)
    for alias in statement.names:
        if base and alias.name != "*":
            yield Import(module=f"{base}.{alias.name}", line=statement.lineno, needed=False, is_member=True)


def _blocks(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        block = getattr(statement, name, None)
        if isinstance(block, list):
            yield block
    for handler in getattr(statement, "handlers", []):
        yield handler.body
    for case in getattr(statement, "cases", []):
        yield case.body


def _is_not_for_importers(test: ast.expr) -> bool:
    """Return whether a condition is `TYPE_CHECKING` or `__name__ == "__main__"`."""
    if isinstance(test, ast.Compare):
        return isinstance(test.left, ast.Name) and test.left.id == "__name__"
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", None)
    return name == "TYPE_CHECKING"
