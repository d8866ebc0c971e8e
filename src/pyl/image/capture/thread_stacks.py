"""Knows the stacks of a program's threads, of which nothing counts any more once the thread has ended."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from pyl.image.arch.interface import Registers, SystemCalls
from pyl.image.ptrace import Memory

# linux/mman.h
_MAP_PRIVATE, _MAP_ANONYMOUS, _MAP_STACK = 0x2, 0x20, 0x20000
_STACK_FLAGS = _MAP_PRIVATE | _MAP_ANONYMOUS | _MAP_STACK
_STACK_FIELD = 40
"""Offset of `stack` in `struct clone_args`, which `stack_size` follows: linux/sched.h."""


@dataclass
class ThreadStacks:
    """The stacks that the C library has made for threads.

    It keeps them for the next thread when one ends, with what the last functions left there. How much that is may
    depend on which thread was faster. Stacks that a program brings itself are its own memory, and not here: the C
    library maps its own without access, and gives that later to all but the guard page.
    """

    _ends: dict[int, int] = field(default_factory=dict)
    """Start of each mapping to its end."""
    _tops: dict[int, int] = field(default_factory=dict)
    """Start of each mapping to the end of the stack in it; the thread's own data follow."""

    def copy(self) -> ThreadStacks:
        """Return what a forked process has."""
        return ThreadStacks(dict(self._ends), dict(self._tops))

    def note_mapping(self, address: int, size: int, protection: int, flags: int) -> None:
        """Note a mapping that the program is about to make."""
        if protection == 0 and flags & _STACK_FLAGS == _STACK_FLAGS:
            self._ends[address] = address + size

    def note_thread(self, registers: Registers, memory: Memory, calls: SystemCalls) -> None:
        """Note the thread that the thread with these registers has just started."""
        first, second = registers.arguments[:2]
        top = second
        if registers.system_call == calls.clone3:
            stack, size = struct.unpack("<2Q", memory.read(first + _STACK_FIELD, 16))
            top = stack + size
        for start, end in self._ends.items():
            if start < top <= end:
                self._tops[start] = top

    def forget(self, start: int, size: int) -> None:
        """Drop what is unmapped or mapped over."""
        for address in [address for address, end in self._ends.items() if start < end and address < start + size]:
            del self._ends[address]
            self._tops.pop(address, None)

    def without_thread(self, stack_pointer: int) -> list[tuple[int, int]]:
        """Return start and end of each stack but the one that the only thread runs on."""
        return [(start, top) for start, top in self._tops.items() if not start <= stack_pointer < self._ends[start]]
