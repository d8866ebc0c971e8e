"""Find the plain handlers that `[tool.pyl.functions.<name>] handler` adopts."""

from __future__ import annotations

import ast
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from pyl.project.analysis.batches import reports_failed_records
from pyl.project.analysis.bindings import Binding, Import
from pyl.project.analysis.discovery import summarize_docstring
from pyl.project.analysis.modules import Module, Modules
from pyl.project.analysis.signatures import check_signature
from pyl.project.config.pyproject import TABLE, Document, find_nearest
from pyl.project.diagnostics import Code, Diagnostic


@dataclass(frozen=True)
class Adopted:
    """An undecorated handler that configuration names."""

    name: str
    module: str
    attribute: str
    file: Path
    line: int
    event: str | None
    description: str | None
    partial_batch: bool = False


def adopt_handler(
    document: Document, name: str, handler: str, modules: Modules, broken: Collection[str]
) -> tuple[Adopted | None, list[Diagnostic]]:
    """Return the handler, `None` if it does not exist, and what is wrong with it.

    Args:
        document: The `pyproject.toml`.
        name: The name of the function.
        handler: `module:attribute`.
        modules: All modules of the project.
        broken: Names of modules with syntax errors, of which nothing else is reported.
    """
    module_name, _, attribute = handler.partition(":")

    def missing(message: str, hint: str) -> tuple[None, list[Diagnostic]]:
        path = (*TABLE, "functions", name, "handler")
        return None, [document.diagnostic(path, Code.HANDLER_NOT_FOUND, message, hint)]

    module = modules.get(module_name)
    if module is None:
        if module_name in broken:
            return None, []
        similar = find_nearest(module_name, modules)
        hint = f"did you mean `{similar}:{attribute}`?" if similar else "name a module below `source`"
        return missing(f"handler `{handler}`: there is no module `{module_name}`", hint)
    names = module.bindings.names
    if attribute not in names and not module.bindings.stars:
        similar = find_nearest(attribute, names)
        hint = f"did you mean `{module_name}:{similar}`?" if similar else "name something that the module defines"
        return missing(f"handler `{handler}`: `{module_name}` defines no `{attribute}`", hint)
    binding = names.get(attribute)
    if isinstance(binding, Import) and (binding.for_type_checkers or _is_module(modules, module, attribute)):
        return missing(f"handler `{handler}`: `{attribute}` is not callable at run time", "name a function")
    return _describe_handler(name, module, attribute, binding, modules)


def _is_module(modules: Modules, module: Module, attribute: str) -> bool:
    meaning = modules.resolve(module, ast.Name(attribute))
    return meaning is not None and meaning.is_module


def _describe_handler(
    name: str, module: Module, attribute: str, binding: Binding, modules: Modules
) -> tuple[Adopted, list[Diagnostic]]:
    meaning = modules.resolve(module, ast.Name(attribute))
    if meaning is not None and meaning.module is not None:
        definition = meaning.definition
        if isinstance(definition, (ast.FunctionDef, ast.AsyncFunctionDef)):
            home, event, problems = meaning.module, None, list[Diagnostic]()
            if not definition.decorator_list:  # a decorator may have made another callable of it
                event, problems = check_signature(home, modules, definition, adopted=True)
            description = summarize_docstring(definition)
            batches = reports_failed_records(home, modules, definition)
            adopted = Adopted(name, module.name, attribute, home.file, definition.lineno, event, description, batches)
            return adopted, problems
    line: int = getattr(binding, "lineno", 1)
    return Adopted(name, module.name, attribute, module.file, line, None, None), []
