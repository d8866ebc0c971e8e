"""Reads the parameters and annotations of handlers without `inspect` and `typing`.

Importing these takes milliseconds of a cold start. Functions compiled by Nuitka have the same attributes as others.
"""

from __future__ import annotations

import sys

from pyl.runtime.handlers.signature import (
    CONTEXT_CLASSES,
    KEYWORD_ONLY,
    POSITIONAL_ONLY,
    POSITIONAL_OR_KEYWORD,
    VAR_KEYWORD,
    VAR_POSITIONAL,
    Parameter,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

CO_VARARGS, CO_VARKEYWORDS, CO_COROUTINE, CO_ASYNC_GENERATOR = 0x04, 0x08, 0x80, 0x200
"""Bits of `co_flags`."""


class Unresolved:
    """An annotation in quotes that cannot be evaluated: its names are misspelt, or imported for type checkers only.

    Attributes:
        text: The annotation.
        reason: The error of its evaluation.
    """

    def __init__(self, text: str, reason: str) -> None:
        self.text = text
        self.reason = reason


NOTHING: Any = object()
"""The annotation of a parameter without one."""


class Signature:
    """The parameters of a callable and their annotations.

    Attributes:
        parameters: The parameters, in order.
        annotations: For each parameter its annotation: an object, `NOTHING`, or an `Unresolved`.
    """

    def __init__(self, parameters: list[Parameter], annotations: list[Any]) -> None:
        self.parameters = parameters
        self.annotations = annotations


def unwrap(handler: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function below decorators that use `functools.wraps`."""
    visited = {id(handler)}
    while (inner := getattr(handler, "__wrapped__", None)) is not None and id(inner) not in visited:
        visited.add(id(inner))
        handler = inner
    return handler


def is_asynchronous_function(handler: Callable[..., Any]) -> bool:
    """Return whether this was defined with `async def`, as far as its code object shows."""
    code = getattr(handler, "__code__", None)
    return code is not None and bool(code.co_flags & (CO_COROUTINE | CO_ASYNC_GENERATOR))


def signature_of(handler: Callable[..., Any]) -> Signature:
    """Return the signature of a callable, without the bound `self`.

    Raises:
        TypeError: It has none, as some callables written in C.
        ValueError: The same.
    """
    bound = getattr(handler, "__self__", None) is not None and hasattr(handler, "__func__")
    function: Any = handler.__func__ if bound and hasattr(handler, "__func__") else handler
    if not hasattr(function, "__code__"):
        return _by_inspection(handler)
    names_and_kinds = _parameters_of(function)
    signature = Signature([], [])
    for name, kind, has_default in names_and_kinds[1 if bound else 0 :]:
        annotation = _resolve(function.__annotations__.get(name, NOTHING), function)
        signature.parameters.append(Parameter(name, _is_context(annotation), kind, has_default))
        signature.annotations.append(annotation)
    return signature


def _parameters_of(function: Any) -> list[tuple[str, int, bool]]:
    code = function.__code__
    names = code.co_varnames
    defaults, keyword_defaults = function.__defaults__ or (), function.__kwdefaults__ or {}
    count = code.co_argcount
    without_default = count - len(defaults)
    parameters = [
        (
            names[index],
            POSITIONAL_ONLY if index < code.co_posonlyargcount else POSITIONAL_OR_KEYWORD,
            index >= without_default,
        )
        for index in range(count)
    ]
    keyword_names = names[count : count + code.co_kwonlyargcount]
    next_name = count + code.co_kwonlyargcount
    if code.co_flags & CO_VARARGS:
        parameters.append((names[next_name], VAR_POSITIONAL, False))
        next_name += 1
    parameters += [(name, KEYWORD_ONLY, name in keyword_defaults) for name in keyword_names]
    if code.co_flags & CO_VARKEYWORDS:
        parameters.append((names[next_name], VAR_KEYWORD, False))
    return parameters


def _by_inspection(handler: Callable[..., Any]) -> Signature:
    """Return the signature of a callable that is not a function: a partial, an instance with `__call__`.

    These are rare, so `inspect` may be imported.
    """
    import inspect

    signature = Signature([], [])
    for parameter in inspect.signature(handler).parameters.values():
        missing = parameter.annotation is parameter.empty
        owner = getattr(handler, "func", None) or type(handler).__call__
        annotation = NOTHING if missing else _resolve(parameter.annotation, owner)
        signature.parameters.append(
            Parameter(
                parameter.name,
                _is_context(annotation),
                int(parameter.kind),
                parameter.default is not parameter.empty,
            )
        )
        signature.annotations.append(annotation)
    return signature


def _resolve(annotation: Any, function: Any) -> Any:
    """Return an annotation with its quoted parts evaluated."""
    if not isinstance(annotation, str):
        return _resolve_inside(annotation, function) if _has_quotes(annotation) else annotation
    namespace = getattr(function, "__globals__", {})
    if annotation in namespace:
        return namespace[annotation]
    try:
        # The user's own code, in the user's own module, as `typing.get_type_hints` evaluates it.
        evaluated = eval(annotation, namespace)  # noqa: S307
    except Exception as error:  # noqa: BLE001 - the annotation may be any expression
        return Unresolved(annotation, str(error))
    return _resolve(evaluated, function)


def _has_quotes(annotation: Any) -> bool:
    """Return whether an annotation has quoted parts, like `list["Line"]` or `Optional["Order"]`."""
    return any(
        isinstance(inner, str) or type(inner).__name__ == "ForwardRef" or _has_quotes(inner)
        for inner in getattr(annotation, "__args__", None) or ()
        if getattr(annotation, "__origin__", None) is not _literal()
    )


def _literal() -> Any:
    """Return `typing.Literal`, whose strings are values, if `typing` has been imported."""
    typing = sys.modules.get("typing")
    return getattr(typing, "Literal", NOTHING)


def _resolve_inside(annotation: Any, function: Any) -> Any:
    import typing

    def annotated() -> None: ...

    annotated.__annotations__ = {"return": annotation}
    try:
        return typing.get_type_hints(annotated, getattr(function, "__globals__", {}), include_extras=True)["return"]
    except Exception as error:  # noqa: BLE001 - the annotation may be any expression
        return Unresolved(str(annotation), str(error))


def _is_context(annotation: Any) -> bool | None:
    """Return whether an annotation names a context class; `None` without an annotation."""
    if annotation is NOTHING:
        return None
    if isinstance(annotation, Unresolved):
        name = annotation.text.replace(" ", "").removesuffix("|None").rpartition(".")[2]
        return name in ("Context", "LambdaContext")
    if f"{getattr(annotation, '__module__', '')}.{getattr(annotation, '__qualname__', '')}" in CONTEXT_CLASSES:
        return True
    alternatives = getattr(annotation, "__args__", None)
    is_union = type(annotation).__name__ in ("UnionType", "_UnionGenericAlias", "Union")
    return is_union and any(_is_context(alternative) for alternative in alternatives or ())
