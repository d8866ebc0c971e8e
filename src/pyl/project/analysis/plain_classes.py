"""Detect classes of the project that JSON certainly cannot be converted to or from."""

from __future__ import annotations

import ast

from pyl.project.analysis.modules import Module, Modules

_NEUTRAL_BASES = frozenset(
    {
        "abc.ABC",
        "builtins.object",
        "typing.Generic",
        "typing.Protocol",
        "typing_extensions.Protocol",
    }
)
"""Base classes that do not change whether a class is convertible."""

_CONVERSIONS = frozenset({"model_validate", "model_validate_json", "model_dump_json"})
"""Methods by which a class is recognized as a pydantic model."""


def is_plain_class(modules: Modules, module: Module, definition: ast.ClassDef) -> bool:
    """Return whether a class has no decorator, no base class that may be convertible, and no conversion of its own."""
    return _is_plain(modules, module, definition, frozenset())


def _is_plain(modules: Modules, module: Module, definition: ast.ClassDef, seen: frozenset[ast.ClassDef]) -> bool:
    if definition.decorator_list or definition.keywords or definition in seen:
        return False
    if any(isinstance(member, ast.FunctionDef) and member.name in _CONVERSIONS for member in definition.body):
        return False
    return all(_is_neutral(modules, module, base, seen | {definition}) for base in definition.bases)


def _is_neutral(modules: Modules, module: Module, base: ast.expr, seen: frozenset[ast.ClassDef]) -> bool:
    if isinstance(base, ast.Subscript):
        base = base.value
    meaning = modules.resolve(module, base)
    if meaning is None:
        return False
    if meaning.module is not None and isinstance(meaning.definition, ast.ClassDef):
        return _is_plain(modules, meaning.module, meaning.definition, seen)
    return meaning.name in _NEUTRAL_BASES
