"""Runs a program under ptrace from its start to its capture: steers its mappings, virtualises its processor.

All of one `Tracer` happens in one thread: ptrace belongs to the thread that attached.
"""

from __future__ import annotations

import os
import signal
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pyl.image.addresses import Layout
from pyl.image.arch.x86_64 import cpuid, disassembly, ptrace
from pyl.image.arch.x86_64.ptrace import Memory, Registers, ThreadGone
from pyl.image.capture.placement import Placement

# asm/unistd_64.h
_MMAP, _MPROTECT, _MUNMAP, _MREMAP, _GETPID, _KILL, _TGKILL = 9, 10, 11, 25, 39, 62, 234
PYL_CALL, PYL_OPTIONS = 157, 0x70796C00
"""The system call of capture.h, and what its first argument counts from."""
ASK, TELL, STOP, PLACE, KEYS, BLOCKS = range(6)

_PROT_EXEC = 4
_MAP_FIXED, _MAP_ANONYMOUS, _MAP_32BIT, _MAP_FIXED_NOREPLACE = 0x10, 0x20, 0x40, 0x100000
_MREMAP_MAYMOVE, _MREMAP_FIXED = 1, 2

PROCESS_ID_OFFSET = 0x2000_0000
"""Added to what `getpid` answers at capture. No kernel gives such ids (the limit is 2**22), so whatever compares
process ids to notice a fork (OpenSSL's random generator) notices each restore."""

_BREAKPOINT = b"\xcc"
_C_LIBRARY = "libc.so.6"


@dataclass
class _Process:
    """One address space under trace."""

    memory: Memory
    steered: bool
    """False after it has become another program: then it is none of the capture's business."""
    is_fork: bool = False
    """Then its parent still has what it unmaps, and both get their addresses from one layout."""
    sites: dict[int, bytes] = field(default_factory=dict)
    """Address of each replaced instruction to what stood there: the instruction, or a function's first byte."""

    def forget(self, start: int, size: int) -> None:
        """Drop the breakpoints of memory that is unmapped or mapped over."""
        for address in [address for address in self.sites if start <= address < start + size]:
            del self.sites[address]


@dataclass(frozen=True)
class Missed:
    """A `cpuid` that disassembly did not find; the processor's own fault caught it."""

    address: int


class Tracer:
    """Follows the program and its children until `on_stop` has been called for every capture, and it ended."""

    def __init__(
        self,
        layout: Layout,
        *,
        on_tell: Callable[[bytes], None],
        on_stop: Callable[[int, int, Memory, dict[int, bytes]], None],
        placement: Placement,
    ) -> None:
        """`on_stop(thread, kind, memory, sites)` stores the stopped process. `placement` says what becomes of its
        small objects."""
        self._layout = layout
        self._on_tell = on_tell
        self._on_stop = on_stop
        self._placement = placement
        self._processes: dict[int, _Process] = {}
        self._leaders: dict[int, int] = {}
        self._after_mapping: dict[int, tuple[list[tuple[int, bytes]] | None, int, int]] = {}
        self._code: dict[tuple[int, int], list[tuple[int, bytes]]] = {}
        self.missed: list[Missed] = []
        self.variables: dict[str, str] = {}
        """Environment variables that the program asked the C library for: name to the file whose code asked first."""
        self.answers = 0

    def run(self, process: int) -> int:
        """Trace `process` (stopped by nothing yet, waiting to be released) to its end; its wait status."""
        while True:
            thread, status = ptrace.wait()
            if not os.WIFSTOPPED(status):
                self._ended(thread)
                if thread == process:
                    return status
                continue
            try:
                self._stopped(thread, status)
            except ThreadGone:
                continue

    def _ended(self, thread: int) -> None:
        self._leaders.pop(thread, None)
        gone = self._processes.pop(thread, None)
        if gone:
            gone.memory.close()

    def _leader(self, thread: int) -> int:
        if thread not in self._leaders:
            status = Path(f"/proc/{thread}/status").read_text()
            self._leaders[thread] = int(status.split("\nTgid:")[1].split()[0])
        return self._leaders[thread]

    def _process(self, thread: int) -> _Process | None:
        leader = self._leader(thread)
        if leader not in self._processes:
            parent = self._parent_of(leader)
            if parent is None:
                return None
            self._processes[leader] = _Process(Memory(leader), parent.steered, True, dict(parent.sites))
        return self._processes[leader]

    def _parent_of(self, process: int) -> _Process | None:
        status = Path(f"/proc/{process}/status").read_text()
        return self._processes.get(int(status.split("\nPPid:")[1].split()[0]))

    def _stopped(self, thread: int, status: int) -> None:
        event, signal_number = ptrace.event_of(status), os.WSTOPSIG(status)
        if event == ptrace.EVENT_EXEC:
            self._executed(thread)
        elif event == ptrace.EVENT_SECCOMP:
            self._system_call(thread)
            return
        elif signal_number == ptrace.SYSCALL_STOP:
            self._mapped(thread)
        elif event == 0 and signal_number in (signal.SIGTRAP, signal.SIGSEGV) and self._answer(thread, signal_number):
            pass
        elif event == 0:
            ptrace.proceed(thread, signal_number)
            return
        elif event == ptrace.EVENT_STOP:
            self._process(thread)
        ptrace.proceed(thread)

    def _executed(self, thread: int) -> None:
        leader = self._leader(thread)
        first = not self._processes
        known = self._processes.get(leader)
        if known:
            known.memory.close()
        self._processes[leader] = _Process(Memory(leader), steered=first)

    # -- system calls ------------------------------------------------------------------------------

    def _system_call(self, thread: int) -> None:
        found = ptrace.registers(thread)
        process = self._process(thread)
        number = found.orig_rax
        if number == _GETPID:
            self._answer_call(thread, found, PROCESS_ID_OFFSET + self._identity(thread))
        elif number in (_KILL, _TGKILL):
            if PROCESS_ID_OFFSET <= found.rdi < 2 * PROCESS_ID_OFFSET:
                found.rdi -= PROCESS_ID_OFFSET
                ptrace.set_registers(thread, found)
            ptrace.proceed(thread)
        elif number == PYL_CALL and process:
            self._spoken_to(thread, found, process)
        elif process is None or not process.steered:
            ptrace.proceed(thread)
        elif number == _MUNMAP:
            self._release(process, found.rdi, found.rsi)
            process.forget(found.rdi, found.rsi)
            ptrace.proceed(thread)
        else:
            self._steer(thread, found, process)

    def _identity(self, thread: int) -> int:
        """The process id as the process itself would see it, in its namespace."""
        status = Path(f"/proc/{thread}/status").read_text()
        return int(status.split("\nNStgid:")[1].split("\n")[0].split()[-1])

    def _answer_call(self, thread: int, found: Registers, result: int) -> None:
        found.orig_rax = 2**64 - 1  # no system call
        found.rax = result & (2**64 - 1)
        ptrace.set_registers(thread, found)
        ptrace.proceed(thread)

    def _spoken_to(self, thread: int, found: Registers, process: _Process) -> None:
        operation = found.rdi - PYL_OPTIONS
        if operation == TELL:
            self._on_tell(process.memory.read(found.rsi, found.rdx))
            self._answer_call(thread, found, 0)
        elif operation == PLACE:
            process.memory.write(found.rsi, self._placement.packed())
            self._answer_call(thread, found, 0)
        elif operation == KEYS:
            process.memory.write(found.rsi, self._placement.packed_keys())
            self._answer_call(thread, found, 0)
        elif operation == BLOCKS:
            self._placement.record(process.memory, found.rsi)
            self._answer_call(thread, found, 0)
        elif operation == STOP:
            kind = found.rsi
            found.orig_rax = 2**64 - 1
            ptrace.set_registers(thread, found)
            ptrace.proceed_to_syscall_stop(thread)
            os.waitpid(thread, 0x60000000)
            try:
                self._on_stop(thread, kind, process.memory, process.sites)
            finally:
                os.kill(self._leader(thread), signal.SIGKILL)
        else:
            self._answer_call(thread, found, 1 if operation == ASK else -22)

    def _steer(self, thread: int, found: Registers, process: _Process) -> None:
        if found.orig_rax == _MMAP:
            free = found.rdi == 0 and not found.r10 & (_MAP_FIXED | _MAP_FIXED_NOREPLACE | _MAP_32BIT)
            if free:
                zone = self._layout.anonymous if found.r10 & _MAP_ANONYMOUS else self._layout.files
                found.rdi = zone.allocate(found.rsi)
                found.r10 |= _MAP_FIXED_NOREPLACE
                ptrace.set_registers(thread, found)
            process.forget(found.rdi, found.rsi)
            if not found.rdx & _PROT_EXEC or found.r10 & _MAP_ANONYMOUS:
                ptrace.proceed(thread)
                return
            self._after_mapping[thread] = (self._in_file(thread, found.r8), found.r9, found.rsi)
        elif found.orig_rax == _MREMAP:
            if found.rdx > found.rsi and found.r10 & _MREMAP_MAYMOVE and not found.r10 & _MREMAP_FIXED:
                found.r8 = self._layout.anonymous.allocate(found.rdx)
                found.r10 |= _MREMAP_FIXED
                ptrace.set_registers(thread, found)
                self._release(process, found.rdi, found.rsi)
            ptrace.proceed(thread)
            return
        else:  # mprotect that makes memory executable
            self._after_mapping[thread] = (None, found.rdi, found.rsi)
        ptrace.proceed_to_syscall_stop(thread)

    def _release(self, process: _Process, address: int, size: int) -> None:
        if not process.is_fork:
            self._layout.anonymous.release(address, size)

    # -- the processor -----------------------------------------------------------------------------

    def _mapped(self, thread: int) -> None:
        """An executable mapping was made: put breakpoints where its code asks for the processor."""
        pending = self._after_mapping.pop(thread, None)
        process = self._process(thread)
        if pending is None or process is None:
            return
        sites, offset, size = pending
        found = ptrace.registers(thread)
        if found.rax > 2**64 - 4096:
            return
        if sites is None:
            self._replace(process, self._in_memory(process, offset, size))
            return
        base = found.rax - offset
        self._replace(
            process,
            ((base + place, original) for place, original in sites if offset <= place < offset + size),
        )

    def _in_file(self, thread: int, descriptor: int) -> list[tuple[int, bytes]]:
        with Path(f"/proc/{thread}/fd/{descriptor}").open("rb") as file:
            status = os.fstat(file.fileno())
            identity = (status.st_dev, status.st_ino)
            if identity not in self._code:
                content = file.read()
                starts = disassembly.function_starts(content)
                self._code[identity] = [
                    site
                    for kind, offset, _, size, flags in disassembly.program_headers(content)
                    if kind == 1 and flags & 1
                    for site in disassembly.find(disassembly.Code(content[offset : offset + size], offset, starts))
                ]
                getenv = (
                    disassembly.exported(content, "getenv") if Path(file.name).readlink().name == _C_LIBRARY else None
                )
                if getenv is not None:
                    self._code[identity].append((getenv, content[getenv : getenv + 1]))
            return self._code[identity]

    def _in_memory(self, process: _Process, start: int, size: int) -> Iterator[tuple[int, bytes]]:
        content = process.memory.read(start, -(-size // 4096) * 4096)
        known = {address for address in process.sites if start <= address < start + size}
        for place, original in disassembly.find(disassembly.Code(content, 0, ())):
            if start + place not in known:
                yield start + place, original

    def _replace(self, process: _Process, sites: Iterator[tuple[int, bytes]]) -> None:
        for address, original in sites:
            process.memory.write(address, _BREAKPOINT)
            process.sites[address] = original

    def _answer(self, thread: int, signal_number: int) -> bool:
        """Answer a replaced instruction, or a `cpuid` at which the processor itself faulted."""
        process = self._process(thread)
        if process is None:
            return False
        found = ptrace.registers(thread)
        if signal_number == signal.SIGTRAP:
            address = found.rip - 1
            original = process.sites.get(address)
            if original is None:
                return False
            if original not in (disassembly.CPUID, disassembly.XGETBV):
                self._getenv(thread, found, process, address, original)
                return True
        else:
            address, original = found.rip, disassembly.CPUID
            try:
                if process.memory.read(address, len(original)) != original:
                    return False
            except OSError:
                return False
            if process.steered:
                self.missed.append(Missed(address))
        if original == disassembly.CPUID:
            a, b, c, d = cpuid.answer(found.rax & 0xFFFFFFFF, found.rcx & 0xFFFFFFFF)
            found.rax, found.rbx, found.rcx, found.rdx = a, b, c, d
        else:
            found.rax, found.rdx = cpuid.XCR0, 0
        found.rip = address + len(original)
        ptrace.set_registers(thread, found)
        self.answers += 1
        return True

    def _getenv(self, thread: int, found: Registers, process: _Process, address: int, original: bytes) -> None:
        """Note which variable is asked for, and let the function go on behind its first instruction."""
        if process.steered:
            name = process.memory.text(found.rdi)
            if name not in self.variables:
                (caller,) = struct.unpack("<Q", process.memory.read(found.rsp, 8))
                self.variables[name] = _file_at(thread, caller)
        found.rip = address
        ptrace.set_registers(thread, found)
        process.memory.write(address, original)
        other = ptrace.step(thread)
        process.memory.write(address, _BREAKPOINT)
        if other != signal.SIGTRAP:  # it came before the instruction, which will be met again
            os.kill(thread, other)


def _file_at(process: int, address: int) -> str:
    for line in Path(f"/proc/{process}/maps").read_text().splitlines():
        low, _, rest = line.partition("-")
        high, _, name = rest.partition(" ")
        if int(low, 16) <= address < int(high, 16):
            return name.rpartition("/")[2]
    return ""


def original_bytes(content: bytearray, start: int, sites: dict[int, bytes]) -> None:
    """Undo the breakpoints that lie in `content`, the memory from `start`."""
    for address, original in sites.items():
        if start <= address < start + len(content) and content[address - start] == _BREAKPOINT[0]:
            content[address - start] = original[0]
