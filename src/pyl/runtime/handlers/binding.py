"""A handler, called the way it wants to be called: its parameters' order, its event's type, its kind of
answer."""

from __future__ import annotations

from pyl.function import declaration
from pyl.runtime.errors import INVALID_SIGNATURE, Fault
from pyl.runtime.handlers import asynchronous
from pyl.runtime.handlers.annotations import NOTHING, is_asynchronous_function, signature_of, unwrap
from pyl.runtime.handlers.signature import SignatureError, assign

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from pyl.context import Context
    from pyl.runtime.handlers.typed import Converter


class Binding:
    """A handler with what is known of its signature; makes events and calls it."""

    def __init__(self, handler: Callable[..., Any], *, event_first: bool, converter: Converter | None) -> None:
        self.handler = handler
        self.event_first = event_first
        self.converter = converter
        """Makes the event; `None` when the handler takes the decoded JSON."""

    def call(self, event: Any, context: Context) -> Any:
        """Call the handler with its event, wait for an asynchronous one, and return its answer.

        Raises whatever the handler raises, and an exception that it returns.
        """
        return self.settle(self.handler(event, context) if self.event_first else self.handler(context, event))

    def settle(self, result: Any) -> Any:
        """Return what the handler's result comes to. Raises as `call` does."""
        if hasattr(result, "__await__"):
            result = asynchronous.run(result)
        if isinstance(result, Exception):
            raise result
        return result


def bind(handler: Callable[..., Any]) -> Binding:
    """Prepare a callable, decorated by `@function` or adopted as it is, for being called.

    Raises:
        Fault: its parameters are not those of a handler.
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
    # A decorator between may hand on an event of its own making (Powertools' data classes).
    lenient = inner is not handler
    return Binding(handler, event_first=event < context, converter=_converter(handler, annotation, lenient=lenient))


def _bind_adopted(handler: Callable[..., Any]) -> Binding:
    """Bind what is called as AWS calls it; annotations count where they cannot mean a plain dict."""
    _prepare_event_loop(handler)
    if hasattr(handler, "__wrapped__"):
        return Binding(handler, event_first=True, converter=None)
    try:
        signature = signature_of(handler)
    except (TypeError, ValueError):  # a callable written in C that does not tell
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
    """Import asyncio along with the handler that will need it, rather than during its first call."""
    if is_asynchronous_function(handler):
        import asyncio  # noqa: F401


def _invalid(handler: Callable[..., Any], reason: str) -> Fault:
    name = getattr(handler, "__qualname__", None) or repr(handler)
    code = getattr(unwrap(handler), "__code__", None)
    where = f" ({code.co_filename}:{code.co_firstlineno})" if code is not None else ""
    return Fault(INVALID_SIGNATURE, f"{name}{where} cannot be a handler: {reason}")
