"""What the names of one module stand for, from its syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Import:
    """A name that an `import` binds."""

    target: str
    """Dotted name of what is imported, absolute."""
    is_module: bool
    """Bound by `import x`, so certainly a module."""
    for_type_checkers: bool
    """Inside of `if TYPE_CHECKING:`, so not there at run time."""


Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
Binding = Import | Definition | ast.expr | None
"""`None`: bound in a way that says nothing about the value (a loop, `with`, unpacking)."""


@dataclass
class Bindings:
    """The names that the top level of a module binds."""

    names: dict[str, Binding] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    """Modules of which everything is imported, absolute."""
    is_lazy: bool = False
    """Whether `from __future__ import annotations` leaves annotations unevaluated."""


def read_bindings(tree: ast.Module, module: str, *, is_package: bool) -> Bindings:
    """Collect what the top level of a module binds; `if`, `try`, `with` and loops belong to it."""
    bindings = Bindings()
    package = module if is_package else module.rpartition(".")[0]
    for statement, branch in iterate_top_level(tree.body):
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            _bind_import(bindings, statement, package, branch)
        else:
            for name, binding in _bound(statement):
                _bind(bindings, name, binding, branch)
    pending = list(iterate_inner_statements(tree))
    while pending:
        statement = pending.pop()
        if isinstance(statement, ast.Global):
            for name in statement.names:
                bindings.names.setdefault(name, None)
        pending.extend(iterate_inner_statements(statement))
    return bindings


def iterate_inner_statements(node: ast.AST) -> Iterator[ast.stmt]:
    """Yield the statements directly inside of a module or a statement, in all of its branches.

    Expressions contain no statements. Skipping them makes reading a project several times faster.
    """
    for name in ("body", "handlers", "cases", "orelse", "finalbody"):
        for child in getattr(node, name, ()):
            if isinstance(child, ast.stmt):
                yield child
            else:
                yield from iterate_inner_statements(child)


@dataclass(frozen=True)
class Branch:
    """The condition under which a top-level statement runs."""

    is_fallback: bool = False
    """In `except` or `else`: what the first branch binds is what counts."""
    for_type_checkers: bool = False


def iterate_top_level(body: Iterable[ast.stmt], branch: Branch = Branch()) -> Iterator[tuple[ast.stmt, Branch]]:
    """Yield the statements that run when the module is imported, compound statements before their contents."""
    for statement in body:
        if isinstance(statement, ast.If) and _is_main_guard(statement.test):
            yield from iterate_top_level(statement.orelse, branch)
            continue
        yield statement, branch
        if isinstance(statement, Definition):
            continue
        for inner, inner_branch in _inner_bodies(statement, branch):
            yield from iterate_top_level(inner, inner_branch)


def _inner_bodies(statement: ast.stmt, branch: Branch) -> Iterator[tuple[list[ast.stmt], Branch]]:
    fallback = Branch(is_fallback=True, for_type_checkers=branch.for_type_checkers)
    if isinstance(statement, ast.If):
        checking = Branch(branch.is_fallback, for_type_checkers=True)
        is_checking, negated = _type_checking_test(statement.test)
        yield statement.body, checking if is_checking and not negated else branch
        if is_checking:
            yield statement.orelse, checking if negated else branch
        else:
            yield statement.orelse, fallback
    elif isinstance(statement, (ast.Try, ast.TryStar)):
        yield statement.body, branch
        for handler in statement.handlers:
            yield handler.body, fallback
        yield statement.orelse, branch
        yield statement.finalbody, branch
    elif isinstance(statement, ast.Match):
        for case in statement.cases:
            yield case.body, fallback
    elif isinstance(statement, (ast.With, ast.AsyncWith)):
        yield statement.body, branch
    elif isinstance(statement, (ast.For, ast.AsyncFor, ast.While)):
        yield statement.body, branch
        yield statement.orelse, fallback


def _type_checking_test(test: ast.expr) -> tuple[bool, bool]:
    """Return whether a condition is `TYPE_CHECKING`, and whether it is negated."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        is_checking, negated = _type_checking_test(test.operand)
        return is_checking, not negated
    name = test.attr if isinstance(test, ast.Attribute) else test.id if isinstance(test, ast.Name) else ""
    return name == "TYPE_CHECKING", False


def _is_main_guard(test: ast.expr) -> bool:
    return (
        isinstance(test, ast.Compare)
        and isinstance(test.left, ast.Name)
        and test.left.id == "__name__"
        and isinstance(test.ops[0], ast.Eq)
    )


def _bind(bindings: Bindings, name: str, binding: Binding, branch: Branch) -> None:
    known = bindings.names.get(name)
    if name in bindings.names and branch.is_fallback:
        return
    is_hint = isinstance(binding, Import) and binding.for_type_checkers
    is_known_at_run_time = name in bindings.names and not (isinstance(known, Import) and known.for_type_checkers)
    if is_hint and is_known_at_run_time:
        return
    bindings.names[name] = binding


def _bind_import(bindings: Bindings, statement: ast.Import | ast.ImportFrom, package: str, branch: Branch) -> None:
    checking = branch.for_type_checkers
    if isinstance(statement, ast.Import):
        for alias in statement.names:
            name, target = alias.asname, alias.name
            if name is None:
                name = target = alias.name.partition(".")[0]
            _bind(bindings, name, Import(target, is_module=True, for_type_checkers=checking), branch)
        return
    origin = _absolute(statement, package)
    for alias in statement.names:
        if alias.name == "*":
            bindings.stars.append(origin)
            continue
        if origin == "__future__" and alias.name == "annotations":
            bindings.is_lazy = True
        target = f"{origin}.{alias.name}"
        _bind(bindings, alias.asname or alias.name, Import(target, is_module=False, for_type_checkers=checking), branch)


def _absolute(statement: ast.ImportFrom, package: str) -> str:
    if not statement.level:
        return statement.module or ""
    parents = package.split(".")
    base = parents[: len(parents) - (statement.level - 1)]
    return ".".join([*base, *([statement.module] if statement.module else [])])


def _bound(statement: ast.stmt) -> Iterator[tuple[str, Binding]]:
    if isinstance(statement, Definition):
        yield statement.name, statement
    elif isinstance(statement, ast.Assign):
        for target in statement.targets:
            if isinstance(target, ast.Name):
                yield target.id, statement.value
    elif isinstance(statement, ast.AnnAssign):
        if isinstance(statement.target, ast.Name) and statement.value is not None:
            yield statement.target.id, statement.value
    elif type(statement).__name__ == "TypeAlias":  # Python 3.12's `type X = ...`
        name, value = statement.name, statement.value  # type: ignore[attr-defined]
        yield name.id, value
    yield from ((name, None) for name in _otherwise_bound(statement))


def _otherwise_bound(statement: ast.stmt) -> Iterator[str]:
    """Yield the names that this statement alone binds by unpacking, loops, `with`, `except`, patterns and walruses."""
    simple: set[str] = set()
    if isinstance(statement, ast.Assign):
        simple = {target.id for target in statement.targets if isinstance(target, ast.Name)}
    if isinstance(statement, Definition) or type(statement).__name__ == "TypeAlias":
        return
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        simple = {statement.target.id}
    pending: list[ast.AST] = [statement]
    while pending:
        node = pending.pop()
        name = _stored_name(node)
        if name is not None and name not in simple:
            yield name
        children = ast.iter_child_nodes(node)
        pending.extend(child for child in children if not isinstance(child, (*_STATEMENTS, ast.Lambda)))


_STATEMENTS = (ast.stmt,)


def _stored_name(node: ast.AST) -> str | None:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        return node.id
    if isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
        return node.name
    if isinstance(node, ast.MatchMapping):
        return node.rest
    return None
