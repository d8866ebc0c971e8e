"""Collects what an environment writes to its standard output and error, and passes it on line by line."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Self

TAIL = 4096
"""Bytes at the end of the log that Lambda returns with an invocation."""
_LOG_LIMIT = 64 * TAIL
"""Bytes of an invocation's log that are kept."""
_LINE_LIMIT = 1 << 18
"""Bytes after which an unfinished line is passed on."""


class Logs:
    """Reads a pipe that a process writes to. A context manager, to be used on an event loop.

    Args:
        show: Called with each line, without its end.

    Attributes:
        writing: The pipe's file descriptor for the process to write to.
    """

    def __init__(self, show: Callable[[str], None]) -> None:
        self._show = show
        self._reading, self.writing = os.pipe()
        self._unfinished = b""
        self._tail = bytearray()

    def __enter__(self) -> Self:
        os.set_blocking(self._reading, False)
        asyncio.get_running_loop().add_reader(self._reading, self._read)
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._reading >= 0:
            self.drain()
            self._close_reading()
        self.close_writing()
        if self._unfinished:
            self._show_lines(self._unfinished + b"\n")

    def close_writing(self) -> None:
        """Close this process's copy of the writing end."""
        if self.writing >= 0:
            os.close(self.writing)
            self.writing = -1

    def begin(self, line: str) -> None:
        """Begin the log of an invocation with a line of the platform."""
        self.drain()
        self._tail.clear()
        self.write_line(line)

    def write_line(self, line: str) -> None:
        """Add a line of the platform, such as REPORT."""
        if self._unfinished:
            self._add(b"\n")
        self._add(line.encode() + b"\n")

    def drain(self) -> None:
        """Read what was written so far. A runtime flushes its output before it answers."""
        while self._reading >= 0 and self._read():
            pass

    def tail(self) -> bytes:
        """Return the last 4 KB since `begin`."""
        return bytes(self._tail[-TAIL:])

    def whole(self) -> bytes:
        """Return what was logged since `begin`, or the last 256 to 512 KB of it."""
        return bytes(self._tail)

    def _read(self) -> bool:
        try:
            piece = os.read(self._reading, 65536)
        except BlockingIOError:
            return False
        except OSError:
            piece = b""
        if piece:
            self._add(piece)
            return True
        self._close_reading()
        return False

    def _close_reading(self) -> None:
        asyncio.get_running_loop().remove_reader(self._reading)
        os.close(self._reading)
        self._reading = -1

    def _add(self, piece: bytes) -> None:
        self._tail += piece
        if len(self._tail) > 2 * _LOG_LIMIT:
            del self._tail[:-_LOG_LIMIT]
        self._unfinished += piece
        whole, separator, rest = self._unfinished.rpartition(b"\n")
        if separator:
            self._unfinished = rest
            self._show_lines(whole)
        elif len(self._unfinished) > _LINE_LIMIT:
            whole, self._unfinished = self._unfinished, b""
            self._show_lines(whole)

    def _show_lines(self, text: bytes) -> None:
        for line in text.decode("utf-8", "replace").split("\n"):
            # awslambdaric joins the lines of a traceback with carriage returns, so that it is one log entry.
            self._show(line.rstrip("\r").replace("\r", "\n").replace("\u00a0", " "))
