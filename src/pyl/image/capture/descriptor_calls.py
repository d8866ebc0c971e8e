"""Notes which line of Python made each file descriptor that is no file: messages name it where the image is refused."""

from __future__ import annotations

import struct

from pyl.image.arch.interface import Registers
from pyl.image.capture.contacts import place_in
from pyl.image.capture.traced_process import TracedProcess

_PAIRS = {"pipe": 0, "pipe2": 0, "socketpair": 3}
"""Index of the argument that points to the room for two descriptors."""
MAKING_CALLS = frozenset(
    """
    pipe pipe2 socketpair socket eventfd eventfd2 memfd_create dup epoll_create epoll_create1 timerfd_create signalfd4
    inotify_init inotify_init1 fcntl
    """.split()  # noqa: SIM905 - so it can be read
)
_HIGHEST_ERROR = 2**64 - 4095
"""Results of system calls from here on are errors, read as unsigned numbers."""


class DescriptorCalls:
    """Follows the calls of one traced run. The caller lets the thread run on, to the end of the call after `begin`."""

    def __init__(self) -> None:
        self.places: dict[int, str] = {}
        """Descriptor to `file:line`."""
        self._pending: dict[int, tuple[str, tuple[int, ...], str]] = {}

    def begin(self, name: str, registers: Registers, frames: tuple[str, ...]) -> None:
        """Note a call, one of `MAKING_CALLS`, that a thread is about to make."""
        self._pending[registers.thread] = name, registers.arguments, place_in(frames)

    def finish(self, registers: Registers, process: TracedProcess | None) -> None:
        """Note what the thread's call has made, if it was one of these."""
        name, arguments, place = self._pending.pop(registers.thread, ("", (), ""))
        if not name or process is None or process.is_fork or registers.result >= _HIGHEST_ERROR:
            return
        made: tuple[int, ...] = (registers.result,)
        if name in _PAIRS:  # `fcntl` comes here only where it duplicates
            made = struct.unpack("<2I", process.memory.read(arguments[_PAIRS[name]], 8))
        self.places.update(dict.fromkeys(made, place))
