"""Detect functions that use `pyl.batch`: their triggers must tell Lambda to read which records failed."""

from __future__ import annotations

import ast

from pyl.project.analysis.annotations import Annotation
from pyl.project.analysis.modules import Module, Modules
from pyl.project.analysis.signatures import FunctionDefinition

_NAMES = frozenset({"pyl.batch.BatchResponse", "pyl.batch.BatchItemFailure", "pyl.batch.process"})


def reports_failed_records(module: Module, modules: Modules, definition: FunctionDefinition) -> bool:
    """Return whether the annotation of the result, or the body, uses a name of `pyl.batch` for failed records."""
    if definition.returns is not None:
        result = Annotation(definition.returns, module, modules)
        if any(_is_batch_name(modules, module, name) for name in result.names(definition.returns)):
            return True
    return any(_is_batch_name(modules, module, node) for statement in definition.body for node in ast.walk(statement))


def _is_batch_name(modules: Modules, module: Module, node: ast.AST) -> bool:
    if not isinstance(node, (ast.Name, ast.Attribute)):
        return False
    meaning = modules.resolve(module, node)
    return meaning is not None and meaning.name in _NAMES
