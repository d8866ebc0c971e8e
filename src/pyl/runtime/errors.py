"""Error reports in Lambda's format: payloads, X-Ray causes and error types.

Form, order of keys and types are those of awslambdaric, because alarms and dashboards depend on them.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any

HANDLER_NOT_FOUND = "Runtime.HandlerNotFound"
IMPORT_MODULE_ERROR = "Runtime.ImportModuleError"
INVALID_SIGNATURE = "Runtime.InvalidHandlerSignature"
LAMBDA_CONTEXT_UNMARSHAL_ERROR = "Runtime.LambdaContextUnmarshalError"
MALFORMED_HANDLER_NAME = "Runtime.MalformedHandlerName"
MARSHAL_ERROR = "Runtime.MarshalError"
UNMARSHAL_ERROR = "Runtime.UnmarshalError"
USER_CODE_SYNTAX_ERROR = "Runtime.UserCodeSyntaxError"

XRAY_CAUSE_LIMIT = 1024 * 1024
"""Bytes at which Lambda no longer accepts an X-Ray cause."""

_OWN_MODULES = ("pyl.", "asyncio.", "importlib.")
_IMPORT_FRAMES = "<frozen importlib"

Frame = tuple[str, int, str, str | None]
"""File name, line number, function and source line, as `traceback.format_list` takes them."""


class Fault(Exception):
    """A failure with one of Lambda's own error types.

    Attributes:
        error_type: The type, `Runtime.HandlerNotFound` for instance.
        message: What failed.
        trace: Lines of a stack trace; `None` without one.
    """

    def __init__(self, error_type: str, message: str, trace: list[str] | None = None) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.message = message
        self.trace = trace


class ErrorReport:
    """One failure, ready to be posted and logged.

    Attributes:
        error_type: Name of the exception's class, or one of Lambda's own types.
        message: Text of the exception.
        frames: Frames of the user's code.
        trace: The frames as lines of a stack trace.
    """

    def __init__(self, error_type: str, message: str, frames: list[Frame], trace: list[str]) -> None:
        self.error_type = error_type
        self.message = message
        self.frames = frames
        self.trace = trace

    def payload(self, request_id: str = "") -> dict[str, Any]:
        """Return the body of an error call, with its keys in awslambdaric's order."""
        return {
            "errorMessage": self.message,
            "errorType": self.error_type,
            "requestId": request_id,
            "stackTrace": self.trace,
        }

    def xray_cause(self) -> dict[str, Any]:
        """Return the cause of the failure in X-Ray's format."""
        is_fault = self.error_type.startswith("Runtime.")
        exception = {
            "message": self.message,
            "type": "LambdaValidationError" if is_fault else self.error_type,
            "stack": [{"label": name, "path": file, "line": line} for file, line, name, _ in self.frames],
        }
        return {
            "working_directory": os.getcwd(),  # noqa: PTH109 - pathlib costs milliseconds
            "exceptions": [exception],
            "paths": sorted({file for file, *_ in self.frames}),
        }

    def header_type(self) -> str:
        """Return the type for the header, which only takes `Runtime.` or `Function.` followed by letters."""
        prefix, _, name = self.error_type.rpartition(".")
        if not (name.isascii() and name.isalpha() and name[0].isupper() and len(name) > 1):
            return "Function.Unknown"
        return self.error_type if prefix == "Runtime" else f"Function.{name}"


def describe(error: BaseException) -> ErrorReport:
    """Return the report of what a handler or an import raised."""
    if isinstance(error, Fault):
        return ErrorReport(error.error_type, error.message, [], error.trace or [])
    frames = user_frames(error.__traceback__)
    return ErrorReport(type(error).__name__, message_of(error), frames, format_frames(frames))


def message_of(error: BaseException) -> str:
    """Return the exception's text, or a placeholder if its `__str__` raises."""
    try:
        return str(error)
    except Exception as str_error:  # noqa: BLE001 - the user's own `__str__` may raise anything
        return f"<{type(error).__name__}: its text could not be made: {type(str_error).__name__}>"


def strip_own(trace: TracebackType | None) -> TracebackType | None:
    """Return the traceback without its leading frames of pyl, asyncio and the import system."""
    while trace is not None and _is_own(trace):
        trace = trace.tb_next
    return trace


def user_frames(trace: TracebackType | None) -> list[Frame]:
    """Return the frames of the user's code, without those of the import system."""
    trace = strip_own(trace)
    if trace is None:
        return []
    import traceback  # costs milliseconds, and most processes never fail

    return [
        (frame.filename, frame.lineno or 0, frame.name, frame.line)
        for frame in traceback.extract_tb(trace)
        if not frame.filename.startswith(_IMPORT_FRAMES)
    ]


def format_frames(frames: list[Frame]) -> list[str]:
    """Return the frames as lines of a stack trace."""
    if not frames:
        return []
    import traceback

    return traceback.format_list(list(frames))


def _is_own(trace: TracebackType) -> bool:
    name = trace.tb_frame.f_globals.get("__name__") or ""
    return name.startswith(_OWN_MODULES) or trace.tb_frame.f_code.co_filename.startswith(_IMPORT_FRAMES)
