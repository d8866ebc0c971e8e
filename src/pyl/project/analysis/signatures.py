"""Check the parameters, the result and the body of a handler's definition."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pyl.project.analysis.annotation_rules import (
    find_event_problem,
    find_result_problem,
    find_type_checking_import,
    find_undefined_name,
)
from pyl.project.analysis.annotations import Annotation
from pyl.project.analysis.modules import Module, Modules
from pyl.project.diagnostics import Code, Diagnostic
from pyl.runtime.handlers.signature import (
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
_CONTAINERS: tuple[tuple[tuple[type[ast.expr], ...], str], ...] = (
    ((ast.Dict, ast.DictComp), "a dict"),
    ((ast.List, ast.ListComp), "a list"),
    ((ast.Set, ast.SetComp), "a set"),
    ((ast.Tuple,), "a tuple"),
)
_OWN_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)

FunctionDefinition = ast.FunctionDef | ast.AsyncFunctionDef


def check_signature(
    module: Module, modules: Modules, node: FunctionDefinition, *, adopted: bool = False, lenient: bool = False
) -> tuple[str | None, list[Diagnostic]]:
    """Return the annotation of the event with full names, and what is wrong with the definition.

    Args:
        module: The module of the function.
        modules: All modules of the project.
        node: The definition.
        adopted: Whether the function is an undecorated handler, which is called as AWS calls it: `(event, context)`.
        lenient: Whether any annotation of the event is accepted, as the runtime does below another decorator.

    Returns:
        The annotation, `None` if there is none or if it cannot be read, and the problems.
    """
    signature = _Signature(module, modules, node)
    event, problems = signature.parameter_problems(adopted=adopted, lenient=lenient or adopted)
    return event, problems + signature.yield_problems() + signature.result_problems(any_type=adopted)


def _first(*problems: Diagnostic | None) -> list[Diagnostic]:
    """Return the first problem: one per annotation is enough."""
    return [problem for problem in problems if problem is not None][:1]


class _Signature:
    def __init__(self, module: Module, modules: Modules, node: FunctionDefinition) -> None:
        self.module = module
        self.modules = modules
        self.node = node
        self.arguments = list(_arguments(node))
        self.annotations = [self._annotation(argument.annotation) for argument, _, _ in self.arguments]
        self.parameters = [
            Parameter(argument.arg, annotation.is_context if annotation else None, kind, has_default)
            for (argument, kind, has_default), annotation in zip(self.arguments, self.annotations, strict=True)
        ]

    def _annotation(self, expression: ast.expr | None) -> Annotation | None:
        names = frozenset(parameter.name for parameter in getattr(self.node, "type_params", ()))
        return Annotation(expression, self.module, self.modules, names) if expression else None

    def parameter_problems(self, *, adopted: bool, lenient: bool) -> tuple[str | None, list[Diagnostic]]:
        annotated = [annotation for annotation in self.annotations if annotation]
        undefined = [problem for annotation in annotated for problem in _first(find_undefined_name(annotation))]
        if undefined:
            return None, undefined
        try:
            context, event = assign(self.parameters, adopted=adopted)
        except SignatureError as error:
            return None, [self._diagnostic(error)]
        context_annotation, event_annotation = self._positional(context), self._positional(event)
        problems: list[Diagnostic] = []
        if context_annotation is not None:
            is_needed = not _is_known_unresolved(context_annotation)
            problems += _first(find_type_checking_import(context_annotation, evaluated=is_needed))
        if event_annotation is None:
            return None, problems
        wrong_type = None if lenient else find_event_problem(event_annotation)
        problems += _first(find_type_checking_import(event_annotation, evaluated=not lenient), wrong_type)
        return event_annotation.resolved, problems

    def result_problems(self, *, any_type: bool) -> list[Diagnostic]:
        result = self._annotation(self.node.returns)
        if result is None:
            return []
        wrong_type = None if any_type else find_result_problem(result)
        return _first(find_undefined_name(result), find_type_checking_import(result, evaluated=False), wrong_type)

    def yield_problems(self) -> list[Diagnostic]:
        """Return a diagnostic for the first value that a generator yields and that cannot be part of a stream."""
        pending: list[ast.AST] = list(self.node.body)
        while pending:
            inner = pending.pop(0)
            if isinstance(inner, ast.Yield) and (what := _describe_unstreamable(inner.value)):
                message = f"`{self.node.name}` yields {what}, and a streamed result is made of text or bytes"
                hint = "yield text or bytes (`json.dumps(...)` for JSON); a function with one result returns it"
                return [self.module.diagnostic(inner, Code.STREAMED_VALUE, message, hint, width=len("yield"))]
            if not isinstance(inner, _OWN_SCOPES):
                pending.extend(ast.iter_child_nodes(inner))
        return []

    def _positional(self, position: int) -> Annotation | None:
        """Return the annotation of a positional argument of the call. `*args` has none for each."""
        positional = [
            annotation
            for parameter, annotation in zip(self.parameters, self.annotations, strict=True)
            if parameter.kind in (POSITIONAL_ONLY, POSITIONAL_OR_KEYWORD)
        ]
        return positional[position] if position < len(positional) else None

    def _diagnostic(self, error: SignatureError) -> Diagnostic:
        code = _CODES[error.problem]
        if code is Code.NO_CONTEXT and sum(bool(parameter.is_context) for parameter in self.parameters) > 1:
            code = Code.TWO_CONTEXTS
        if error.index is None:
            return self.module.definition_diagnostic(self.node, code, error.message, error.hint)
        return self.module.diagnostic(self.arguments[error.index][0], code, error.message, error.hint)


def _describe_unstreamable(value: ast.expr | None) -> str | None:
    """Return a description of a value that is certainly neither text nor bytes, or `None`."""
    if value is None or (isinstance(value, ast.Constant) and value.value is None):
        return "nothing"
    if isinstance(value, ast.Constant):
        return None if isinstance(value.value, (str, bytes)) else f"`{ast.unparse(value)}`"
    return next((name for kinds, name in _CONTAINERS if isinstance(value, kinds)), None)


def _is_known_unresolved(note: Annotation) -> bool:
    """Return whether the runtime recognizes the context by its name alone, when only type checkers import it."""
    return any(
        ast.unparse(part).rpartition(".")[2] in {"Context", "LambdaContext"} for part in note.names(note.expression)
    )


def _arguments(node: FunctionDefinition) -> Iterator[tuple[ast.arg, int, bool]]:
    """Yield each argument, its kind, and whether it has a default, in the order of `inspect`."""
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
