"""The function's log: Lambda's settings, the standard library's `logging`, and uncaught errors.

`logging` is configured when the user's code imports it, before that code can use it, and not at all otherwise:
importing it takes as long as the start of the interpreter. `configure` reads the format and the level from the
environment. It may be called again, because a process restored from an image has another environment.
"""

from __future__ import annotations

import sys
import time

from pyl.runtime import import_hooks
from pyl.runtime.logging.state import FRAME_ERROR_JSON, FRAME_ERROR_TEXT, FramedSink, LogState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from types import ModuleType

    from pyl.runtime.errors import ErrorReport

_INDENT = "\u00a0"
"""NO-BREAK SPACE, with which awslambdaric keeps the indentation of stack traces in CloudWatch."""

state = LogState()


def configure(environ: MutableMapping[str, str]) -> None:
    """Read the format, the level and the sink, and configure `logging`: now if it is imported, else when it is."""
    state.json = (environ.get("AWS_LAMBDA_LOG_FORMAT") or "").upper() == "JSON"
    level = (environ.get("AWS_LAMBDA_LOG_LEVEL") or "").upper()
    state.level = "DEBUG" if level == "TRACE" else level
    descriptor = environ.pop("_LAMBDA_TELEMETRY_LOG_FD", "")
    if descriptor.isdigit():
        state.sink = FramedSink(int(descriptor))
    _buffer_by_line()
    if "logging" in sys.modules or not state.is_hook_installed:
        import_hooks.after_import("logging", _configure_logging)
        state.is_hook_installed = True


def log_error(report: ErrorReport, request_id: str) -> None:
    """Log an uncaught error as awslambdaric does.

    Args:
        report: The error.
        request_id: Id of the request; empty for an error of the initialisation.
    """
    payload = report.payload(request_id)
    if state.json:
        from pyl.json import codec

        timestamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        text = codec.encode({"timestamp": timestamp, "level": "ERROR", **payload}).decode()
        state.sink.log_error([text], FRAME_ERROR_JSON)
        return
    head = ": ".join(part for part in (report.error_type, report.message) if part)
    lines = [f"[ERROR] {head}" if head else "[ERROR]", "Traceback (most recent call last):"]
    for entry in report.trace:
        lines += [_keep_indentation(line) for line in entry.splitlines()] if entry else [""]
    state.sink.log_error(lines, FRAME_ERROR_TEXT)


def warn(message: str) -> None:
    """Write one line of the runtime's own to the standard error, about trouble with Lambda."""
    sys.stderr.write(f"pyl: {message}\n")


def flush() -> None:
    """Flush the standard streams, because Lambda may freeze the process after the response."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):  # replaced, broken or closed by the user's code
            continue


def _buffer_by_line() -> None:
    """Write each line to the log as it is printed, because the process may be killed at any time."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
        except (AttributeError, OSError, ValueError):  # replaced, broken or closed by the user's code
            continue


def _keep_indentation(line: str) -> str:
    text = line.lstrip(" ")
    return _INDENT * (len(line) - len(text)) + text


def _configure_logging(_logging: ModuleType) -> Callable[[], None]:
    from pyl.runtime.logging import handler

    handler.install(state)
    return _keep_configuration


def _keep_configuration() -> None:
    """Undo nothing: once configured, `logging` belongs to the user's code."""
