"""Whether the parameters, the result and the body of a function definition are those of a handler."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pyl.project.annotation_rules import event_problem, import_problem, name_problem, result_problem
from pyl.project.annotations import Annotation
from pyl.project.diagnostics import Code, Diagnostic
from pyl.project.modules import Module, Modules
from pyl.runtime.signature import (
    CONTEXT,
    COUNT,
    DEFAULT,
    KEYWORD_ONLY,
    POSITIONAL_ONLY,
    POSITIONAL_OR_KEYWORD,
    VAR_KEYWORD,
    VAR_POSITIONAL,
    VARIADIC,
    Parameter,
    SignatureError,
    assign,
)

_CODES = {
    COUNT: Code.PARAMETER_COUNT,
    CONTEXT: Code.NO_CONTEXT,
    DEFAULT: Code.DEFAULT_VALUE,
    VARIADIC: Code.PARAMETER_KIND,
}


def signature_problems(
    module: Module,
    modules: Modules,
    node: ast.FunctionDef | ast.AsyncFunctionDef,
    *,
    adopted: bool = False,
    lenient: bool = False,
) -> tuple[str | None, list[Diagnostic]]:
    """The event's type in full (`None`: not annotated, or not to be told), and the problems.

    `lenient` lets any event annotation pass, as the runtime does where it is another decorator's business.
    """
    described = list(_parameters(node))
    names = frozenset(parameter.name for parameter in getattr(node, "type_params", ()))

    def annotation(expression: ast.expr) -> Annotation:
        return Annotation(expression, module, modules, names)

    annotations = [annotation(argument.annotation) if argument.annotation else None for argument, _, _ in described]
    problems = [] if adopted else list(_generator_problems(module, node))
    returns = annotation(node.returns) if node.returns else None
    if returns is not None:
        problems += _first(
            name_problem(returns),
            import_problem(returns, evaluated=False),
            None if adopted or problems else result_problem(returns),
        )
    parameters = [
        Parameter(argument.arg, note.is_context if note else None, kind, has_default)
        for (argument, kind, has_default), note in zip(described, annotations, strict=True)
    ]
    undefined = [problem for note in annotations if note for problem in _first(name_problem(note))]
    if undefined:
        return None, [*undefined, *problems]
    try:
        context, event = assign(parameters, adopted=adopted)
    except SignatureError as error:
        return None, [_signature_diagnostic(module, node, described, parameters, error), *problems]
    positional = [note for parameter, note in zip(parameters, annotations, strict=True) if parameter.kind <= 1]
    context_note, event_note = (*positional, None, None)[context], (*positional, None, None)[event]
    if context_note is not None:
        problems += _first(import_problem(context_note, evaluated=not _is_known_unresolved(context_note)))
    if event_note is None:
        return None, problems
    checked = None if adopted or lenient else event_problem(event_note)
    problems += _first(import_problem(event_note, evaluated=not (adopted or lenient)), checked)
    return event_note.resolved, problems


def _first(*problems: Diagnostic | None) -> list[Diagnostic]:
    """One problem per annotation is enough."""
    return [problem for problem in problems if problem is not None][:1]


def _is_known_unresolved(note: Annotation) -> bool:
    """Whether the runtime takes it for the context by its name alone, when only type checkers import it."""
    return any(
        ast.unparse(part).rpartition(".")[2] in {"Context", "LambdaContext"} for part in note.names(note.expression)
    )


def _parameters(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[ast.arg, int, bool]]:
    """Each parameter with its kind and whether it has a default, in the order of `inspect`."""
    arguments = node.args
    positional = [(argument, POSITIONAL_ONLY) for argument in arguments.posonlyargs]
    positional += [(argument, POSITIONAL_OR_KEYWORD) for argument in arguments.args]
    first_default = len(positional) - len(arguments.defaults)
    for index, (argument, kind) in enumerate(positional):
        yield argument, kind, index >= first_default
    if arguments.vararg:
        yield arguments.vararg, VAR_POSITIONAL, False
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        yield argument, KEYWORD_ONLY, default is not None
    if arguments.kwarg:
        yield arguments.kwarg, VAR_KEYWORD, False


def _signature_diagnostic(
    module: Module,
    node: ast.FunctionDef | ast.AsyncFunctionDef,
    described: list[tuple[ast.arg, int, bool]],
    parameters: list[Parameter],
    error: SignatureError,
) -> Diagnostic:
    code = _CODES[error.problem]
    if code is Code.NO_CONTEXT and sum(bool(parameter.is_context) for parameter in parameters) > 1:
        code = Code.TWO_CONTEXTS
    if error.index is None:
        return module.definition_diagnostic(node, code, error.message, error.hint)
    return module.diagnostic(described[error.index][0], code, error.message, error.hint)


def _generator_problems(module: Module, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[Diagnostic]:
    pending: list[ast.AST] = list(node.body)
    while pending:
        inner = pending.pop()
        if isinstance(inner, (ast.Yield, ast.YieldFrom)):
            message = f"`{node.name}` is a generator, and a function gives one result"
            hint = "return a list; `yield` is kept for streamed responses"
            yield module.diagnostic(inner, Code.GENERATOR, message, hint, width=len("yield"))
            return
        if not isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            pending.extend(ast.iter_child_nodes(inner))
