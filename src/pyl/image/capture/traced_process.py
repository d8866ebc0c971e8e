"""One process under trace: its memory, and the breakpoints that it holds."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from pyl.image.arch.interface import Registers
from pyl.image.capture.protocol import FORK_HANDLER
from pyl.image.capture.thread_stacks import ThreadStacks
from pyl.image.ptrace import Memory

_C_LIBRARY = ("libc.so", "libc-", "ld-linux", "libpthread")
"""Beginnings of the names of the C library's files."""
_LOADER = ("loader", "ld-linux")
_SEARCHED_STACK_BYTES = 1024


@dataclass(frozen=True)
class ForkHandler:
    """What a library gave `pthread_atfork`."""

    prepare: int
    """Address of what runs before a fork; 0 if nothing does."""
    child: int
    """Address of what runs in the child; 0 if nothing does."""
    library: str
    """File that holds them."""


Sites = dict[int, bytes]
"""Address of each breakpoint to the bytes that it replaces: a whole processor query, or the beginning of a function."""


@dataclass
class TracedProcess:
    """One address space under trace."""

    memory: Memory
    leader: int
    """Id of its first thread."""
    steered: bool
    """False after it has become another program, which the capture leaves alone."""
    is_fork: bool = False
    """Then its parent still has what it unmaps, and both get their addresses from one layout."""
    sites: Sites = field(default_factory=dict)
    libraries: dict[int, tuple[int, str]] = field(default_factory=dict)
    """Start of each executable mapping of a file to its end and the file's name."""
    thread_stacks: ThreadStacks = field(default_factory=ThreadStacks)
    fork_handlers: list[ForkHandler] = field(default_factory=list)
    """In the order in which they were registered."""
    reseeding: set[str] = field(default_factory=set)
    """Libraries that drew random bytes since this process was forked, and have a handler of forks."""

    def fork(self, memory: Memory, leader: int) -> TracedProcess:
        """Return the copy of this process that is the process `leader`."""
        return replace(
            self,
            memory=memory,
            leader=leader,
            is_fork=True,
            sites=dict(self.sites),
            libraries=dict(self.libraries),
            thread_stacks=self.thread_stacks.copy(),
            fork_handlers=list(self.fork_handlers),
            reseeding=set(),
        )

    def is_reseeding(self, library: str) -> bool:
        """Return whether a library that draws random bytes does so because this process was forked, and note that.

        It does the same whenever its handlers run, so they run in each restored process.
        """
        if not self.is_fork or all(handler.library != library for handler in self.fork_handlers):
            return False
        self.reseeding.add(library)
        return True

    def handlers_to_run(self) -> bytes:
        """Return a `struct pyl_fork_handler` for each handler of the libraries that are reseeding."""
        handlers = (handler for handler in self.fork_handlers if handler.library in self.reseeding)
        return b"".join(FORK_HANDLER.pack(prepare=handler.prepare, child=handler.child) for handler in handlers)

    def calling_library(self, registers: Registers) -> str:
        """Return the file whose code called the C library, which makes the thread's system call; empty if none did."""
        try:
            stack = self.memory.read(registers.stack_pointer, _SEARCHED_STACK_BYTES)
        except OSError:
            return ""
        addresses = (registers.instruction_pointer, *struct.unpack(f"<{len(stack) // 8}Q", stack))
        files = (self._file_of(address) for address in addresses)
        return next((file for file in files if file and not file.startswith(_C_LIBRARY)), "")

    def is_in_loader(self, registers: Registers) -> bool:
        """Return whether the loader itself makes the thread's system call."""
        return self._file_of(registers.instruction_pointer).startswith(_LOADER)

    def _file_of(self, address: int) -> str:
        for start, (end, name) in self.libraries.items():
            if start <= address < end:
                return name
        return ""

    def add_breakpoints(self, sites: Iterable[tuple[int, bytes]], instruction: bytes) -> None:
        """Replace the code at `sites`, (address, original bytes), by the breakpoint `instruction`."""
        for address, original in sites:
            self.memory.write(address, instruction)
            self.sites[address] = original

    def forget(self, start: int, size: int) -> None:
        """Drop what is known of memory that is unmapped or mapped over."""
        self.thread_stacks.forget(start, size)
        for address in [address for address in self.sites if start <= address < start + size]:
            del self.sites[address]
        for address in [address for address in self.libraries if start <= address < start + size]:
            del self.libraries[address]


def original_content(content: bytes, start: int, sites: Sites, breakpoint_instruction: bytes) -> bytes:
    """Return `content`, the memory from the address `start`, without the breakpoints in it."""
    restored = bytearray(content)
    length = len(breakpoint_instruction)
    for address, original in sites.items():
        offset = address - start
        if 0 <= offset < len(content) and content[offset : offset + length] == breakpoint_instruction:
            restored[offset : offset + length] = original[:length]
    return bytes(restored)


def leader_of(thread: int) -> int:
    """Return the process that a thread belongs to."""
    return _status_number(thread, "Tgid")


def parent_of(process: int) -> int:
    """Return the parent of a process."""
    return _status_number(process, "PPid")


def own_id(thread: int) -> int:
    """Return the id that a thread has in its own namespace."""
    return _status_number(thread, "NSpid")


def _status_number(thread: int, key: str) -> int:
    """Return the last number of a line of `/proc/THREAD/status`."""
    status = Path(f"/proc/{thread}/status").read_text()
    return int(status.split(f"\n{key}:")[1].split("\n")[0].split()[-1])


def file_at(process: int, address: int) -> str:
    """Return the name of the file that is mapped at `address`; empty where none is."""
    for line in Path(f"/proc/{process}/maps").read_text().splitlines():
        low, _, rest = line.partition("-")
        high, _, name = rest.partition(" ")
        if int(low, 16) <= address < int(high, 16):
            return name.rpartition("/")[2]
    return ""
