"""Calls a handler according to its signature: order of parameters, type of event, `async def`."""

from __future__ import annotations

from pyl.function import declaration
from pyl.runtime.errors import INVALID_SIGNATURE, Fault
from pyl.runtime.handlers.annotations import NOTHING, is_asynchronous_function, signature_of, unwrap
from pyl.runtime.handlers.signature import SignatureError, assign

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from pyl.context import Context
    from pyl.runtime.handlers.typed import Converter


class Binding:
    """A handler and how to call it.

    Attributes:
        handler: The callable.
        event_first: Whether the event comes before the context.
        converter: Converts the event; `None` if the handler takes the decoded JSON.
    """

    def __init__(self, handler: Callable[..., Any], *, event_first: bool, converter: Converter | None) -> None:
        self.handler = handler
        self.event_first = event_first
        self.converter = converter

    def call(self, event: Any, context: Context) -> Any:
        """Call the handler, and return its result; of an asynchronous one, the awaited result.

        Raises:
            Exception: What the handler raised, or an exception that it returned.
        """
        return self.settle(self.handler(event, context) if self.event_first else self.handler(context, event))

    def settle(self, result: Any) -> Any:
        """Return the final result of a call: the awaited one of an awaitable.

        Raises:
            Exception: What the awaitable raised, or an exception that is the result.
        """
        if hasattr(result, "__await__"):
            from pyl.runtime.handlers import asynchronous

            result = asynchronous.run(result)
        if isinstance(result, Exception):
            raise result
        return result


def bind(handler: Callable[..., Any]) -> Binding:
    """Return the binding of a callable, decorated by `@function` or adopted as it is.

    Raises:
        Fault: Its parameters are not those of a handler.
    """
    decorated = declaration(handler) is not None
    try:
        return _bind_decorated(handler) if decorated else _bind_adopted(handler)
    except SignatureError as error:
        raise _invalid(handler, f"{error.message}; {error.hint}") from error


def _bind_decorated(handler: Callable[..., Any]) -> Binding:
    inner = unwrap(handler)
    _prepare_event_loop(inner)
    signature = signature_of(inner)
    context, event = assign(signature.parameters)
    positions = [index for index, parameter in enumerate(signature.parameters) if parameter.kind <= 1]
    annotation = signature.annotations[positions[event]]
    # A decorator in between may pass on another event (Powertools' data classes).
    lenient = inner is not handler
    return Binding(handler, event_first=event < context, converter=_converter(handler, annotation, lenient=lenient))


def _bind_adopted(handler: Callable[..., Any]) -> Binding:
    """Bind a callable as AWS calls it; annotations are used unless they may stand for a plain dict."""
    _prepare_event_loop(handler)
    if hasattr(handler, "__wrapped__"):
        return Binding(handler, event_first=True, converter=None)
    try:
        signature = signature_of(handler)
    except (TypeError, ValueError):  # a callable written in C without a signature
        return Binding(handler, event_first=True, converter=None)
    context, event = assign(signature.parameters, adopted=True)
    annotations = [
        annotation
        for parameter, annotation in zip(signature.parameters, signature.annotations, strict=True)
        if parameter.kind <= 1
    ]
    annotation = annotations[event] if event < len(annotations) else NOTHING
    return Binding(handler, event_first=event < context, converter=_converter(handler, annotation, lenient=True))


def _converter(handler: Callable[..., Any], annotation: Any, *, lenient: bool) -> Converter | None:
    if annotation is NOTHING:
        return None
    from pyl.runtime.handlers.typed import UnsupportedEvent, converter, is_typed_dict

    if lenient and is_typed_dict(annotation):
        return None
    try:
        return converter(annotation)
    except UnsupportedEvent as error:
        if lenient:
            return None
        raise _invalid(handler, str(error)) from error


def _prepare_event_loop(handler: Callable[..., Any]) -> None:
    """Import what an asynchronous handler needs with it, rather than during its first call."""
    if is_asynchronous_function(handler):
        import asyncio  # noqa: F401

        from pyl.runtime.handlers import asynchronous  # noqa: F401


def _invalid(handler: Callable[..., Any], reason: str) -> Fault:
    name = getattr(handler, "__qualname__", None) or repr(handler)
    code = getattr(unwrap(handler), "__code__", None)
    where = f" ({code.co_filename}:{code.co_firstlineno})" if code is not None else ""
    return Fault(INVALID_SIGNATURE, f"{name}{where} cannot be a handler: {reason}")
