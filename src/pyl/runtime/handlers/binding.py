"""Finds, imports and calls handlers: from `_HANDLER` to a call with the right event and context.

Failures have Lambda's error types. It is one module because each cold start imports all of it.
"""

from __future__ import annotations

import sys

from pyl.function import declaration
from pyl.runtime.errors import (
    HANDLER_NOT_FOUND,
    IMPORT_MODULE_ERROR,
    INVALID_SIGNATURE,
    MALFORMED_HANDLER_NAME,
    USER_CODE_SYNTAX_ERROR,
    Fault,
    message_of,
)
from pyl.runtime.handlers.annotations import NOTHING, is_asynchronous_function, signature_of, unwrap
from pyl.runtime.handlers.signature import SignatureError, assign

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
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


class Functions:
    """The functions of a package, loaded on demand.

    Attributes:
        table: `module:attribute` of each function, by name.
    """

    def __init__(self, table: Mapping[str, str]) -> None:
        self.table = table
        self._loaded: dict[str, Binding] = {}

    def choose(self, handler: str | None) -> Binding:
        """Load and return the function of a handler string.

        Args:
            handler: Value of `_HANDLER`.

        Raises:
            Fault: It cannot be loaded, for a reason that has one of Lambda's error types.
            Exception: What the import of the user's module raised.
        """
        return self.load(function_name(handler))

    def load(self, name: str) -> Binding:
        """Return a function by name; its module is imported at the first call.

        Raises:
            Fault: It cannot be loaded, for a reason that has one of Lambda's error types.
            Exception: What the import of the user's module raised.
        """
        binding = self._loaded.get(name)
        if binding is None:
            reference = self.table.get(name)
            if reference is None:
                existing = ", ".join(sorted(self.table)) or "none"
                msg = f"Handler '{name}' missing on module 'functions'; the package has: {existing}"
                raise Fault(HANDLER_NOT_FOUND, msg)
            binding = self._loaded[name] = bind(_find(reference))
        return binding

    def load_all(self, names: Iterable[str] | None = None) -> dict[str, Exception]:
        """Load functions, by default all; return the exception of each that cannot be loaded, by name."""
        failures: dict[str, Exception] = {}
        for name in self.table if names is None else names:
            try:
                self.load(name)
            except Exception as error:  # noqa: BLE001 - the user's code may raise anything
                failures[name] = error
        return failures


def function_name(handler: str | None) -> str:
    """Return the function's name in a handler string: the part after the last dot of `functions.<name>`.

    Raises:
        Fault: The string has another form.
    """
    prefix, dot, name = (handler or "").rpartition(".")
    if not dot or not prefix or not name:
        msg = f"Bad handler '{handler or ''}': it must read functions.<name>"
        raise Fault(MALFORMED_HANDLER_NAME, msg)
    return name


def _find(reference: str) -> Any:
    module_name, _, path = reference.partition(":")
    target = _import(module_name)
    for attribute in path.split("."):
        try:
            target = getattr(target, attribute)
        except AttributeError:
            msg = f"Handler '{path}' missing on module '{module_name}'"
            raise Fault(HANDLER_NOT_FOUND, msg) from None
    return target


def _import(name: str) -> Any:
    try:
        __import__(name)
    except ImportError as error:
        msg = f"Unable to import module '{name}': {message_of(error)}"
        raise Fault(IMPORT_MODULE_ERROR, msg) from error
    except SyntaxError as error:
        trace = [f'  File "{error.filename}" Line {error.lineno}\n    {error.text}']
        msg = f"Syntax error in module '{name}': {message_of(error)}"
        raise Fault(USER_CODE_SYNTAX_ERROR, msg, trace) from error
    return sys.modules[name]
