"""Whether a function answers with `pyl.batch`, so that Lambda must be told to read which records failed."""

from __future__ import annotations

import ast

from pyl.project.analysis.annotations import Annotation
from pyl.project.analysis.modules import Module, Modules
from pyl.project.analysis.signatures import FunctionDefinition

_NAMES = frozenset({"pyl.batch.BatchResponse", "pyl.batch.BatchItemFailure", "pyl.batch.process"})


def names_failed_records(module: Module, modules: Modules, definition: FunctionDefinition) -> bool:
    """Whether the result's annotation, or the body, names what `pyl.batch` has for it."""
    if definition.returns is not None:
        result = Annotation(definition.returns, module, modules)
        if any(_is_meant(modules, module, name) for name in result.names(definition.returns)):
            return True
    return any(_is_meant(modules, module, node) for statement in definition.body for node in ast.walk(statement))


def _is_meant(modules: Modules, module: Module, node: ast.AST) -> bool:
    if not isinstance(node, (ast.Name, ast.Attribute)):
        return False
    meaning = modules.resolve(module, node)
    return meaning is not None and meaning.name in _NAMES
