"""Plain handlers that `[tool.pyl.functions.<name>] handler` adopts: found by their names, as the code stands."""

from __future__ import annotations

import ast
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from pyl.project.analysis.batches import names_failed_records
from pyl.project.analysis.bindings import Binding, Import
from pyl.project.analysis.discovery import first_line
from pyl.project.analysis.modules import Module, Modules
from pyl.project.analysis.signatures import signature_problems
from pyl.project.config.pyproject import TABLE, Document, nearest
from pyl.project.diagnostics import Code, Diagnostic


@dataclass(frozen=True)
class Adopted:
    """A handler that exists."""

    name: str
    module: str
    attribute: str
    file: Path
    line: int
    event: str | None
    description: str | None
    partial_batch: bool = False


def adopt(
    document: Document, name: str, handler: str, modules: Modules, broken: Collection[str]
) -> tuple[Adopted | None, list[Diagnostic]]:
    """Find `module:attribute`. Of `broken` modules, whose files have syntax errors, nothing more is said."""
    module_name, _, attribute = handler.partition(":")

    def missing(message: str, hint: str) -> tuple[None, list[Diagnostic]]:
        path = (*TABLE, "functions", name, "handler")
        return None, [document.diagnostic(path, Code.HANDLER_NOT_FOUND, message, hint)]

    module = modules.get(module_name)
    if module is None:
        if module_name in broken:
            return None, []
        meant = nearest(module_name, modules)
        hint = f"did you mean `{meant}:{attribute}`?" if meant else "name a module below `source`"
        return missing(f"handler `{handler}`: there is no module `{module_name}`", hint)
    names = module.bindings.names
    if attribute not in names and not module.bindings.stars:
        meant = nearest(attribute, names)
        hint = f"did you mean `{module_name}:{meant}`?" if meant else "name something that the module defines"
        return missing(f"handler `{handler}`: `{module_name}` defines no `{attribute}`", hint)
    binding = names.get(attribute)
    if isinstance(binding, Import) and (binding.for_type_checkers or _is_module(modules, module, attribute)):
        return missing(f"handler `{handler}`: `{attribute}` is no callable at run time", "name a function")
    return _found(name, module, attribute, binding, modules)


def _is_module(modules: Modules, module: Module, attribute: str) -> bool:
    meaning = modules.resolve(module, ast.Name(attribute))
    return meaning is not None and meaning.is_module


def _found(
    name: str, module: Module, attribute: str, binding: Binding, modules: Modules
) -> tuple[Adopted, list[Diagnostic]]:
    meaning = modules.resolve(module, ast.Name(attribute))
    if meaning is not None and meaning.module is not None:
        definition = meaning.definition
        if isinstance(definition, (ast.FunctionDef, ast.AsyncFunctionDef)):
            home, event, problems = meaning.module, None, list[Diagnostic]()
            if not definition.decorator_list:  # a decorator may have made another callable of it
                event, problems = signature_problems(home, modules, definition, adopted=True)
            description = first_line(definition)
            batches = names_failed_records(home, modules, definition)
            found = Adopted(name, module.name, attribute, home.file, definition.lineno, event, description, batches)
            return found, problems
    line: int = getattr(binding, "lineno", 1)
    return Adopted(name, module.name, attribute, module.file, line, None, None), []
