"""Find the decorated functions of a module, and every problem with their declarations, without importing anything."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from pyl.project.analysis.batches import reports_failed_records
from pyl.project.analysis.bindings import Definition, iterate_inner_statements, iterate_top_level
from pyl.project.analysis.modules import Module, Modules
from pyl.project.analysis.signatures import FunctionDefinition, check_signature
from pyl.project.diagnostics import Code, Diagnostic

_DECORATORS = frozenset({"pyl.function", "pyl.function.function"})
_OPTIONS = ("name", "description")

DESCRIPTION_LIMIT = 256
"""Characters that Lambda accepts: https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html"""


@dataclass(frozen=True)
class Candidate:
    """A function as the code declares it."""

    name: str | None
    """`None` when the decorator's argument is wrong."""
    module: Module
    definition: FunctionDefinition
    name_node: ast.expr | None
    """Where the decorator gives the name; without it the `def` does."""
    description: str | None
    event: str | None
    partial_batch: bool

    def at_name(self, code: Code, message: str, hint: str) -> Diagnostic:
        """Return a diagnostic about the function's name, at the place where the name is written."""
        if self.name_node is not None:
            return self.module.diagnostic(self.name_node, code, message, hint)
        return self.module.definition_diagnostic(self.definition, code, message, hint)


def find_decorated(module: Module, modules: Modules) -> tuple[list[Candidate], list[Diagnostic]]:
    """Return all functions that a module declares with `@function`, and what is wrong with their declarations."""
    candidates: list[Candidate] = []
    diagnostics: list[Diagnostic] = []
    importable = {id(statement) for statement, _ in iterate_top_level(module.tree.body)}
    for node, parent in _definitions(module.tree):
        decorator = _decorator(node, module, modules)
        if decorator is None:
            continue
        if id(node) not in importable:
            diagnostics += _misplaced(module, node, parent)
        elif isinstance(node, ast.ClassDef):
            hint = "decorate a function; a class can be called by one"
            message = f"`@function` decorates the class `{node.name}`"
            diagnostics.append(module.definition_diagnostic(node, Code.DECORATED_CLASS, message, hint))
        else:
            candidate, problems = _candidate(module, modules, node, decorator)
            candidates.append(candidate)
            diagnostics += problems
    return candidates, diagnostics


def _definitions(tree: ast.Module) -> Iterator[tuple[Definition, Definition | None]]:
    """Yield every definition of a file and the one that encloses it, in the order of the file."""
    pending: list[tuple[ast.AST, Definition | None]] = [(tree, None)]
    while pending:
        node, parent = pending.pop()
        if isinstance(node, Definition):
            yield node, parent
            parent = node
        pending.extend((child, parent) for child in reversed(list(iterate_inner_statements(node))))


def _decorator(node: Definition, module: Module, modules: Modules) -> ast.expr | None:
    for decorator in node.decorator_list:
        target = decorator.func if isinstance(decorator, ast.Call) else decorator
        if isinstance(target, (ast.Name, ast.Attribute)):
            meaning = modules.resolve(module, target)
            if meaning is not None and meaning.name in _DECORATORS:
                return decorator
    return None


def _misplaced(module: Module, node: Definition, parent: Definition | None) -> list[Diagnostic]:
    if parent is None:  # below `if __name__ == "__main__":`, which Lambda never runs
        return []
    if isinstance(parent, ast.ClassDef):
        message = f"`@function` decorates the method `{parent.name}.{node.name}`"
        hint = "move it to the top level of the module; Lambda has no instance to call it on"
        return [module.definition_diagnostic(node, Code.DECORATED_METHOD, message, hint)]
    message = f"`@function` decorates `{node.name}`, which only exists inside of `{parent.name}`"
    hint = "move it to the top level of the module"
    return [module.definition_diagnostic(node, Code.NESTED_FUNCTION, message, hint)]


def _candidate(
    module: Module, modules: Modules, node: FunctionDefinition, decorator: ast.expr
) -> tuple[Candidate, list[Diagnostic]]:
    options, problems = _options(module, decorator)
    wrapped = node.decorator_list[-1] is not decorator  # another decorator may change what it takes
    event, signature = check_signature(module, modules, node, lenient=wrapped)
    name_node = options.get("name")
    name = node.name if name_node is None else _text(name_node)
    description = _text(options["description"]) if "description" in options else summarize_docstring(node)
    has_wrong_name = name_node is None and any(problem.code is Code.DECORATOR_ARGUMENTS for problem in problems)
    candidate = Candidate(
        name=None if has_wrong_name else name,
        module=module,
        definition=node,
        name_node=name_node,
        description=description,
        event=event,
        partial_batch=reports_failed_records(module, modules, node),
    )
    return candidate, [*problems, *signature]


def _options(module: Module, decorator: ast.expr) -> tuple[dict[str, ast.expr], list[Diagnostic]]:
    """Return the valid arguments of `@function(...)`, and what is wrong with the others."""
    options: dict[str, ast.expr] = {}
    problems: list[Diagnostic] = []
    if not isinstance(decorator, ast.Call):
        return options, problems

    def refuse(node: ast.AST, message: str, hint: str) -> None:
        problems.append(module.diagnostic(node, Code.DECORATOR_ARGUMENTS, message, hint))

    for argument in decorator.args:
        refuse(argument, "`@function` takes keywords only", 'write @function(name="...")')
    for keyword in decorator.keywords:
        value = keyword.value
        if keyword.arg not in _OPTIONS:
            hint = f"it takes {' and '.join(_OPTIONS)}; memory, timeout and the like are keys of [tool.pyl.functions.*]"
            refuse(keyword, f"`@function` has no `{ast.unparse(keyword)}`", hint)
        elif _is_none(value):
            continue
        elif _text(value) is None:
            hint = f'write the text itself: {keyword.arg}="..."; the code is read without being run'
            refuse(value, f"`{keyword.arg}` of `@function` is not a plain string", hint)
        elif keyword.arg == "description" and len(_text(value) or "") > DESCRIPTION_LIMIT:
            refuse(value, f"the description has more than {DESCRIPTION_LIMIT} characters", "shorten it")
        else:
            options[keyword.arg] = value
    return options, problems


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def summarize_docstring(node: Definition) -> str | None:
    """Return the first line of the docstring, cut to the length that Lambda accepts."""
    docstring = (ast.get_docstring(node) or "").strip()
    return docstring.splitlines()[0][:DESCRIPTION_LIMIT].strip() if docstring else None
