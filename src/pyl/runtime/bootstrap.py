"""Entry points that awslambdaric calls in an interpreted package: the function table, and a handler for each function.

The generated `functions` module contains `__getattr__ = Table(TABLE)`. awslambdaric reports failures of the import with
their error types (`Runtime.ImportModuleError` and others), but not failures of the attribute lookup that follows. So
the requested function is loaded while the module is imported.

The module's name matters: awslambdaric removes leading frames of files called `bootstrap.py` from stack traces, because
its own file has that name. So the trace begins in the user's code. It is one module rather than two because each cold
start imports it.
"""

from __future__ import annotations

import os
import sys

from pyl.context import Context
from pyl.json import codec
from pyl.runtime.errors import MARSHAL_ERROR, Fault, describe, message_of, strip_own
from pyl.runtime.handlers.binding import Functions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from pyl.runtime.handlers.binding import Binding

MODULE = "functions"
"""Name of the generated module, and first part of every handler string."""


class Table:
    """Looks up functions by name, and imports only the module of the requested function."""

    def __init__(self, table: Mapping[str, str]) -> None:
        self._functions = Functions(table)
        self._entries: dict[str, Callable[[Any, Any], Any]] = {}
        requested = _requested_function()
        if requested is not None and "awslambdaric" in sys.modules:
            self._load_for_awslambdaric(requested)

    def __call__(self, name: str) -> Callable[[Any, Any], Any]:
        """Return the handler of a function; this is the `__getattr__` of the generated module.

        Raises:
            AttributeError: The package has no such function.
            Exception: What the import of its module raised.
        """
        if name not in self._functions.table:
            msg = f"module {MODULE!r} has no attribute {name!r}"
            raise AttributeError(msg)
        handler = self._entries.get(name)
        if handler is None:
            handler = self._entries[name] = entry(self._functions.load(name))
        return handler

    def _load_for_awslambdaric(self, name: str) -> None:
        try:
            self._entries[name] = entry(self._functions.load(name))
        except Exception as error:
            raise as_foreign(error) from error
        if "pyl.hooks" in sys.modules:
            _prepare_hooks()


def _requested_function() -> str | None:
    """Return the function that awslambdaric was started for, from its command line or `_HANDLER`."""
    for handler in (*sys.argv[1:2], os.environ.get("_HANDLER", "")):
        module, _, name = handler.rpartition(".")
        if module == MODULE:
            return name
    return None


def _prepare_hooks() -> None:
    from pyl import hooks

    if hooks.has_before_shutdown():
        from pyl.runtime.loop import shutdown

        shutdown.install_in_thread(os.environ.get("AWS_LAMBDA_RUNTIME_API", ""))
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        _register_hooks()


def _register_hooks() -> None:
    """Register the function's hooks with SnapStart, whose snapshot is a process image as well."""
    import snapshot_restore_py

    from pyl import hooks

    for hook in reversed(hooks.before_image_hooks()):
        snapshot_restore_py.register_before_snapshot(hook)
    for hook in hooks.after_restore_hooks():
        snapshot_restore_py.register_after_restore(hook)


def entry(binding: Binding) -> Callable[[Any, Any], Any]:
    """Return the handler for awslambdaric, which calls it with a decoded event and its own context."""
    converter = binding.converter

    def handle(event: Any, lambda_context: Any) -> Any:
        try:
            if converter is not None:
                event = converter.from_object(event)
            result = binding.call(event, as_context(lambda_context))
            return result if isinstance(result, bytes) or codec.is_plain(result) else _encoded(result)
        except Exception as error:
            trace = strip_own(error.__traceback__)
            if isinstance(error, Fault) or trace is None:
                raise as_foreign(error) from error
            raise error.with_traceback(trace)  # noqa: B904 - the same error without pyl's frames

    return handle


def as_context(original: Any) -> Context:
    """Return pyl's context with the attributes of awslambdaric's."""
    context = Context.__new__(Context)
    context.__dict__.update(original.__dict__)
    context.deadline_ms = int(getattr(original, "_epoch_deadline_time_in_ms", 0) or 0)
    context.trace_id = os.environ.get("_X_AMZN_TRACE_ID", "")
    context._w3c = original.w3c() if hasattr(original, "w3c") else {}  # noqa: SLF001 - `context` is created here
    return context


def as_foreign(error: Exception) -> Exception:
    """Return an exception that awslambdaric reports with the type, message and trace of this failure.

    Without awslambdaric (in a test that calls the handler) it is the failure itself.
    """
    exceptions = sys.modules.get("awslambdaric.lambda_runtime_exception")
    if exceptions is None:
        return error
    if isinstance(error, Fault):
        fault: Exception = exceptions.FaultException(error.error_type, error.message, error.trace)
        return fault
    report = describe(error)
    reported: Exception = exceptions.FaultException(report.error_type, report.message, report.trace)
    return reported


def _encoded(result: Any) -> Any:
    """Return a result that awslambdaric's encoder writes as pyl's own would.

    Streams, which awslambdaric does not support in Python, are collected and returned whole.
    """
    try:
        text = codec.encode(result).decode()
    except Exception as error:
        from pyl.runtime.loop import streaming

        stream = streaming.stream_of(result)
        if stream is None:
            msg = f"Unable to marshal response: {message_of(error)}"
            raise Fault(MARSHAL_ERROR, msg) from error
    else:
        raw_json = sys.modules.get("simplejson.raw_json")
        return codec.decode(text.encode()) if raw_json is None else raw_json.RawJSON(text)
    return streaming.buffer(stream)
