"""Steers the mappings of a traced program: where they go, and the breakpoints in executable ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pyl.image import ptrace
from pyl.image.addresses import Layout
from pyl.image.arch.interface import Processor, Registers
from pyl.image.capture.breakpoints import Breakpoints, Site
from pyl.image.capture.contacts import place_in
from pyl.image.capture.traced_process import TracedProcess

# linux/mman.h
_PROT_WRITE, _PROT_EXEC = 2, 4
_MAP_SHARED = 1
_MAP_FIXED, _MAP_ANONYMOUS, _MAP_32BIT, _MAP_FIXED_NOREPLACE = 0x10, 0x20, 0x40, 0x100000
_MREMAP_MAYMOVE, _MREMAP_FIXED = 1, 2

_HIGHEST_ERROR = 2**64 - 4095
"""Results of system calls from here on are errors, read as unsigned numbers."""


def is_shared_writable(registers: Registers) -> bool:
    """Return whether the thread is about to make a mapping (`mmap`) that others may share and write."""
    _, _, protection, flags, *_ = registers.arguments
    return bool(flags & _MAP_SHARED and protection & _PROT_WRITE)


@dataclass(frozen=True)
class _PendingMapping:
    """An executable mapping that a system call is about to make."""

    sites: list[Site] | None
    """Of its breakpoints; None for memory that is made executable."""
    start: int
    """Offset in the file, or address of the memory."""
    size: int
    name: str = ""
    """Of the mapped file."""


class MappingCalls:
    """Handles `mmap`, `munmap`, `mremap`, and `mprotect` that makes memory executable, of one traced run.

    Each method lets the thread run on.
    """

    def __init__(self, processor: Processor, layout: Layout, breakpoints: Breakpoints) -> None:
        self._calls = processor.system_calls
        self._layout = layout
        self._breakpoints = breakpoints
        self._pending: dict[int, _PendingMapping] = {}
        self.shared_places: dict[int, str] = {}
        """Line of Python that made each writable shared mapping, by address."""

    def begin(self, registers: Registers, process: TracedProcess, frames: tuple[str, ...]) -> None:
        """Handle a call that a thread is about to make.

        Args:
            registers: The thread's.
            process: The thread's process.
            frames: `file:line` of each Python frame, if they are known.
        """
        thread, number, arguments = registers.thread, registers.system_call, registers.arguments
        if number == self._calls.munmap:
            self._release(process, arguments[0], arguments[1])
            process.forget(arguments[0], arguments[1])
            ptrace.proceed(thread)
        elif number == self._calls.mmap:
            self._steer_mmap(registers, process, frames)
        elif number == self._calls.mremap:
            self._steer_mremap(registers, process)
        else:  # mprotect that makes memory executable
            self._pending[thread] = _PendingMapping(None, arguments[0], arguments[1])
            ptrace.proceed_to_syscall_stop(thread)

    def finish(self, registers: Registers, process: TracedProcess | None) -> None:
        """Place breakpoints in the executable mapping that a thread's call has made, if it has."""
        pending = self._pending.pop(registers.thread, None)
        result = registers.result
        if pending is None or process is None or result >= _HIGHEST_ERROR:
            return
        if pending.name:
            process.libraries[result] = (result + pending.size, pending.name)
        if pending.sites is None:
            self._breakpoints.place_in_memory(process, pending.start, pending.size)
        else:
            self._breakpoints.place(process, pending.sites, result - pending.start, pending.start, pending.size)

    def _steer_mmap(self, registers: Registers, process: TracedProcess, frames: tuple[str, ...]) -> None:
        thread = registers.thread
        address, size, protection, flags, descriptor, offset = registers.arguments
        if address == 0 and not flags & (_MAP_FIXED | _MAP_FIXED_NOREPLACE | _MAP_32BIT):
            zone = self._layout.anonymous if flags & _MAP_ANONYMOUS else self._layout.files
            address = zone.allocate(size)
            registers.set_argument(0, address)
            registers.set_argument(3, flags | _MAP_FIXED_NOREPLACE)
            registers.write()
        if frames and flags & _MAP_SHARED:
            self.shared_places[address] = place_in(frames)
        process.forget(address, size)
        process.thread_stacks.note_mapping(address, size, protection, flags)
        if not protection & _PROT_EXEC or flags & _MAP_ANONYMOUS:
            ptrace.proceed(thread)
            return
        sites = self._breakpoints.sites_in_file(thread, descriptor)
        name = Path(f"/proc/{thread}/fd/{descriptor}").readlink().name
        self._pending[thread] = _PendingMapping(sites, offset, size, name)
        ptrace.proceed_to_syscall_stop(thread)

    def _steer_mremap(self, registers: Registers, process: TracedProcess) -> None:
        address, size, new_size, flags, *_ = registers.arguments
        if new_size > size and flags & _MREMAP_MAYMOVE and not flags & _MREMAP_FIXED:
            registers.set_argument(4, self._layout.anonymous.allocate(new_size))
            registers.set_argument(3, flags | _MREMAP_FIXED)
            registers.write()
            self._release(process, address, size)
        ptrace.proceed(registers.thread)

    def _release(self, process: TracedProcess, address: int, size: int) -> None:
        if not process.is_fork:
            self._layout.anonymous.release(address, size)
