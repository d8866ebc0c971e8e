"""What an environment writes to its standard output and error: shown line by line, and its end kept for the caller."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Self

TAIL = 4096
"""Bytes of the log's end that Lambda returns with an invocation."""
_KEPT = 64 * TAIL
_LINE_LIMIT = 1 << 18
"""Bytes after which an unfinished line is shown as it is."""


class Logs:
    """The reading end of a pipe that a process writes to; used on an event loop, a context manager.

    `show` receives every line, without its end.
    """

    def __init__(self, show: Callable[[str], None]) -> None:
        self._show = show
        self._reading, self.writing = os.pipe()
        """`writing` is for the process."""
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
            self._lines(self._unfinished + b"\n")

    def close_writing(self) -> None:
        """Leave the writing end to the process alone."""
        if self.writing >= 0:
            os.close(self.writing)
            self.writing = -1

    def begin(self, line: str) -> None:
        """Start the log of an invocation with the platform's own `line`."""
        self.drain()
        self._tail.clear()
        self.say(line)

    def say(self, line: str) -> None:
        """Add one of the platform's own lines."""
        if self._unfinished:
            self._take(b"\n")
        self._take(line.encode() + b"\n")

    def drain(self) -> None:
        """Read what has been written so far: a runtime flushes before it answers."""
        while self._reading >= 0 and self._read():
            pass

    def tail(self) -> bytes:
        """The last 4 KB since `begin`."""
        return bytes(self._tail[-TAIL:])

    def whole(self) -> bytes:
        """What was logged since `begin`, or the end of it where that was very much."""
        return bytes(self._tail)

    def _read(self) -> bool:
        try:
            piece = os.read(self._reading, 65536)
        except BlockingIOError:
            return False
        except OSError:
            piece = b""
        if piece:
            self._take(piece)
            return True
        self._close_reading()
        return False

    def _close_reading(self) -> None:
        asyncio.get_running_loop().remove_reader(self._reading)
        os.close(self._reading)
        self._reading = -1

    def _take(self, piece: bytes) -> None:
        self._tail += piece
        if len(self._tail) > 2 * _KEPT:
            del self._tail[:-_KEPT]
        self._unfinished += piece
        whole, separator, rest = self._unfinished.rpartition(b"\n")
        if separator:
            self._unfinished = rest
            self._lines(whole)
        elif len(self._unfinished) > _LINE_LIMIT:
            whole, self._unfinished = self._unfinished, b""
            self._lines(whole)

    def _lines(self, text: bytes) -> None:
        for line in text.decode("utf-8", "replace").split("\n"):
            # awslambdaric joins the lines of a traceback with carriage returns, to keep it one entry.
            self._show(line.rstrip("\r").replace("\r", "\n").replace("\u00a0", " "))
