"""What a function's log receives: the sink, the standard library's `logging` as Lambda sets it up, uncaught
errors.

`logging` is set up at the moment at which the user's code imports it, before that code can use it, and not
at all if nothing does: importing it costs as much as the start of the interpreter. Format and level are
read from the environment by `configure`, which may be called again: in a process restored from an image the
environment is another one.
"""

from __future__ import annotations

import os
import sys
import time

from pyl.runtime import import_hooks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping, Sequence
    from types import ModuleType

    from pyl.runtime.errors import ErrorReport

FRAME_ERROR_JSON, FRAME_ERROR_TEXT, FRAME_TEXT = 0xA55A0016, 0xA55A0017, 0xA55A0003
"""Types of frames in Lambda's telemetry log."""

_INDENT = "\u00a0"
"""NO-BREAK SPACE, with which awslambdaric keeps the indentation of tracebacks in CloudWatch."""


class StandardSink:
    """Writes to the standard output, whose every line Lambda logs."""

    def log(self, message: str, frame_type: int = FRAME_TEXT) -> None:  # noqa: ARG002 - a line has no type
        """Write a message as it is."""
        sys.stdout.write(message)

    def log_error(self, lines: Sequence[str], frame_type: int) -> None:  # noqa: ARG002
        """Write the lines as one message."""
        sys.stdout.write("\r".join(lines) + "\n")


class FramedSink:
    """Writes frames to the file descriptor that Lambda names: messages keep their line ends, and have a
    type."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def log(self, message: str, frame_type: int = FRAME_TEXT) -> None:
        """Write a message as one frame: type, length, microseconds since the epoch, text."""
        text = message.encode("utf-8", "backslashreplace")
        frame = b"".join(
            (
                frame_type.to_bytes(4, "big"),
                len(text).to_bytes(4, "big"),
                (time.time_ns() // 1000).to_bytes(8, "big"),
                text,
            )
        )
        rest = memoryview(frame)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]

    def log_error(self, lines: Sequence[str], frame_type: int) -> None:
        """Write the lines as one message."""
        self.log("\n".join(lines), frame_type)


class LogState:
    """How this process logs, and for which request."""

    def __init__(self) -> None:
        self.sink: StandardSink | FramedSink = StandardSink()
        self.json = False
        self.level = ""
        self.request_id = ""
        self.tenant_id: str | None = None
        self.watched = False
        """Whether `logging` is set up when something imports it."""


state = LogState()


def configure(environ: MutableMapping[str, str]) -> None:
    """Read the format, the level and the sink, and see to it that `logging` follows them once it is
    imported."""
    state.json = (environ.get("AWS_LAMBDA_LOG_FORMAT") or "").upper() == "JSON"
    level = (environ.get("AWS_LAMBDA_LOG_LEVEL") or "").upper()
    state.level = "DEBUG" if level == "TRACE" else level
    descriptor = environ.pop("_LAMBDA_TELEMETRY_LOG_FD", "")
    if descriptor.isdigit():
        state.sink = FramedSink(int(descriptor))
    _buffer_by_line()
    if "logging" in sys.modules or not state.watched:
        import_hooks.after_import("logging", _set_up)
        state.watched = True


def report(report: ErrorReport, request_id: str) -> None:
    """Log an uncaught error."""
    payload = report.payload(request_id)
    if state.json:
        from pyl.json import codec

        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        text = codec.encode({"timestamp": stamp, "level": "ERROR", **payload}).decode()
        state.sink.log_error([text], FRAME_ERROR_JSON)
        return
    head = ": ".join(part for part in (report.error_type, report.message) if part)
    lines = [f"[ERROR] {head}" if head else "[ERROR]", "Traceback (most recent call last):"]
    for entry in report.trace:
        lines += [_keep_indentation(line) for line in entry.splitlines()] if entry else [""]
    state.sink.log_error(lines, FRAME_ERROR_TEXT)


def warn(message: str) -> None:
    """Log one line of the runtime's own: something went wrong between it and Lambda."""
    sys.stderr.write(f"pyl: {message}\n")


def flush() -> None:
    """Let everything written so far reach the log: after the response Lambda may freeze the process."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):  # replaced, broken or closed by the user's code
            continue


def _buffer_by_line() -> None:
    """Let each line reach the log when it is printed: the process may be killed at any time."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
        except (AttributeError, OSError, ValueError):  # replaced, broken or closed by the user's code
            continue


def _keep_indentation(line: str) -> str:
    text = line.lstrip(" ")
    return _INDENT * (len(line) - len(text)) + text


def _set_up(_logging: ModuleType) -> Callable[[], None]:
    from pyl.runtime.logging import handler

    handler.install(state)
    return _leave_it


def _leave_it() -> None:
    """Once set up, `logging` is the user's."""
