"""Failures as Lambda wants to hear of them: error payloads, X-Ray causes and error types.

Shapes, key order and types are those of awslambdaric, on which alarms and dashboards are built.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any

    from pyl.runtime.loop.streaming import Stream

HANDLER_NOT_FOUND = "Runtime.HandlerNotFound"
IMPORT_MODULE_ERROR = "Runtime.ImportModuleError"
INVALID_SIGNATURE = "Runtime.InvalidHandlerSignature"
LAMBDA_CONTEXT_UNMARSHAL_ERROR = "Runtime.LambdaContextUnmarshalError"
MALFORMED_HANDLER_NAME = "Runtime.MalformedHandlerName"
MARSHAL_ERROR = "Runtime.MarshalError"
UNMARSHAL_ERROR = "Runtime.UnmarshalError"
USER_CODE_SYNTAX_ERROR = "Runtime.UserCodeSyntaxError"

XRAY_CAUSE_LIMIT = 1024 * 1024
"""Bytes at which Lambda no longer takes the X-Ray cause."""

_OWN_MODULES = ("pyl.", "asyncio.", "importlib.")
_IMPORT_FRAMES = "<frozen importlib"

Frame = tuple[str, int, str, str | None]
"""File name, line number, function, source line: what `traceback.format_list` takes."""


class Fault(Exception):
    """A failure with one of Lambda's own error types."""

    def __init__(self, error_type: str, message: str, trace: list[str] | None = None) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.message = message
        self.trace = trace


class Streamed(Exception):
    """No failure: a result that is sent while it is made."""

    def __init__(self, stream: Stream) -> None:
        super().__init__()
        self.stream = stream


class ErrorReport:
    """One failure, ready to be posted and logged."""

    def __init__(self, error_type: str, message: str, frames: list[Frame], trace: list[str]) -> None:
        self.error_type = error_type
        self.message = message
        self.frames = frames
        self.trace = trace

    def payload(self, request_id: str = "") -> dict[str, Any]:
        """Return the body of an error call, its keys in awslambdaric's order."""
        return {
            "errorMessage": self.message,
            "errorType": self.error_type,
            "requestId": request_id,
            "stackTrace": self.trace,
        }

    def xray_cause(self) -> dict[str, Any]:
        """Return what X-Ray shows of the failure."""
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
        """Return the type for the header, which takes `(Runtime|Function).` and letters and nothing else."""
        prefix, _, name = self.error_type.rpartition(".")
        if not (name.isascii() and name.isalpha() and name[0].isupper() and len(name) > 1):
            return "Function.Unknown"
        return self.error_type if prefix == "Runtime" else f"Function.{name}"


def report(error: BaseException) -> ErrorReport:
    """Describe what a handler or an import raised."""
    if isinstance(error, Fault):
        return ErrorReport(error.error_type, error.message, [], error.trace or [])
    frames = user_frames(error.__traceback__)
    return ErrorReport(type(error).__name__, message_of(error), frames, formatted(frames))


def message_of(error: BaseException) -> str:
    """Return the exception's text, or a stand-in when making it fails in turn."""
    try:
        return str(error)
    except Exception as second:  # noqa: BLE001 - the handler's own `__str__` may raise anything
        return f"<{type(error).__name__}: its text could not be made: {type(second).__name__}>"


def strip_own(trace: TracebackType | None) -> TracebackType | None:
    """Return the traceback from the first frame that is not pyl's, nor of what pyl called to get there."""
    own = trace
    while own is not None and _is_own(own):
        own = own.tb_next
    return own


def user_frames(trace: TracebackType | None) -> list[Frame]:
    """Return the frames of the user's code; the machinery of `import` is left out wherever it stands."""
    trace = strip_own(trace)
    if trace is None:
        return []
    import traceback  # costs milliseconds, and most processes never fail

    return [
        (frame.filename, frame.lineno or 0, frame.name, frame.line)
        for frame in traceback.extract_tb(trace)
        if not frame.filename.startswith(_IMPORT_FRAMES)
    ]


def formatted(frames: list[Frame]) -> list[str]:
    """Return the frames as lines of a traceback."""
    if not frames:
        return []
    import traceback

    return traceback.format_list(list(frames))


def _is_own(trace: TracebackType) -> bool:
    name = trace.tb_frame.f_globals.get("__name__") or ""
    return name.startswith(_OWN_MODULES) or trace.tb_frame.f_code.co_filename.startswith(_IMPORT_FRAMES)
