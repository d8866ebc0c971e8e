"""Where this process writes its log, in which format, and for which request."""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

FRAME_ERROR_JSON, FRAME_ERROR_TEXT, FRAME_TEXT = 0xA55A0016, 0xA55A0017, 0xA55A0003
"""Types of frames in Lambda's telemetry log, as awslambdaric sends them."""


class StandardSink:
    """Writes to the standard output, from which Lambda logs each line."""

    def log(self, message: str, frame_type: int = FRAME_TEXT) -> None:  # noqa: ARG002 - a line has no type
        """Write a message unchanged."""
        sys.stdout.write(message)

    def log_error(self, lines: Sequence[str], frame_type: int) -> None:  # noqa: ARG002
        """Write lines as one message."""
        sys.stdout.write("\r".join(lines) + "\n")


class FramedSink:
    """Writes frames to the file descriptor that Lambda provides.

    A message in a frame has a type, and may contain line ends.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def log(self, message: str, frame_type: int = FRAME_TEXT) -> None:
        """Write a message as one frame: type, length in bytes, microseconds since the epoch, text."""
        text = message.encode("utf-8", "backslashreplace")
        frame = b"".join(
            (
                frame_type.to_bytes(4, "big"),
                len(text).to_bytes(4, "big"),
                (time.time_ns() // 1000).to_bytes(8, "big"),
                text,
            )
        )
        unwritten = memoryview(frame)
        while unwritten:
            unwritten = unwritten[os.write(self._descriptor, unwritten) :]

    def log_error(self, lines: Sequence[str], frame_type: int) -> None:
        """Write lines as one message."""
        self.log("\n".join(lines), frame_type)


class LogState:
    """Settings of this process's log, and the request that it serves.

    Attributes:
        sink: Writes the messages.
        json: Whether the log has Lambda's JSON format.
        level: Name of the level that Lambda is configured with; empty without one.
        request_id: Id of the current request; empty outside of invocations.
        tenant_id: Tenant of the current request, or `None`.
        is_hook_installed: Whether `logging` is configured when something imports it.
    """

    def __init__(self) -> None:
        self.sink: StandardSink | FramedSink = StandardSink()
        self.json = False
        self.level = ""
        self.request_id = ""
        self.tenant_id: str | None = None
        self.is_hook_installed = False
