"""Reads everything of a stopped process that a restore must bring back."""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Container
from dataclasses import dataclass, field
from pathlib import Path

from pyl.image.arch.x86_64 import ptrace
from pyl.image.arch.x86_64.ptrace import Memory
from pyl.image.capture.tracer import original_bytes
from pyl.lambda_environment import PAGE

# asm/unistd_64.h
_RT_SIGACTION, _RT_SIGPROCMASK, _PRCTL, _SIGALTSTACK, _GET_ROBUST_LIST, _GETCWD = 13, 14, 157, 131, 274, 79
_PR_GET_TID_ADDRESS = 40
_SIGNALS = 64
_RED_ZONE = 128
_SS_DISABLE = 2

READ, WRITE, EXECUTE = 1, 2, 4

_KERNEL_OWN = {"[stack]", "[vdso]", "[vvar]", "[vvar_vclock]", "[vsyscall]", "[uprobes]"}
_MAPS_LINE = re.compile(r"([0-9a-f]+)-([0-9a-f]+) ([r-])([w-])([x-])([ps]) ([0-9a-f]+) \S+ (\d+)\s*(.*)")


class NotCapturable(Exception):
    """The process holds something that cannot be brought back."""

    def __init__(self, message: str, *, descriptor: int | None = None) -> None:
        super().__init__(message)
        self.descriptor = descriptor


@dataclass(frozen=True)
class Region:
    """A mapping and the pages of it that are not zero."""

    address: int
    length: int
    protection: int
    name: str
    """Path of the mapped file inside the sandbox; empty for anonymous memory."""
    wipe_on_fork: bool
    no_reserve: bool
    pages: dict[int, bytes] = field(repr=False)
    """Address to the content of each page that is not all zeros."""
    offset: int = 0
    """Of the first byte in the mapped file."""
    file: str = ""
    """Path in the package of the file that holds the same bytes from `offset` on; empty where none does."""


@dataclass(frozen=True)
class SignalAction:
    number: int
    handler: int
    flags: int
    restorer: int
    mask: int


@dataclass(frozen=True)
class KernelState:
    """What lives in the kernel or the processor rather than in memory."""

    rip: int
    rsp: int
    rbx: int
    rbp: int
    r12: int
    r13: int
    r14: int
    r15: int
    fs_base: int
    gs_base: int
    thread_id_address: int
    robust_list: int
    robust_list_bytes: int
    signal_mask: int
    alternate_stack: int
    alternate_stack_bytes: int
    x87_control: int
    mxcsr: int
    actions: tuple[SignalAction, ...]
    directory: str


@dataclass(frozen=True)
class Snapshot:
    regions: tuple[Region, ...]
    state: KernelState


def take(
    thread: int, memory: Memory, sites: dict[int, bytes], *, starter: tuple[int, int], reopened: Container[int] = ()
) -> Snapshot:
    """Snapshot of the process, which stands after the system call that asked for it.

    `starter` is the address range of the program that started it; `reopened` are the file descriptors that the
    process will open again by itself. Raises `NotCapturable`.
    """
    _refuse_threads(thread)
    _refuse_descriptors(thread, reopened)
    state = _kernel_state(thread, memory)
    return Snapshot(_regions(thread, memory, sites, starter), state)


def _refuse_threads(process: int) -> None:
    threads = sorted(int(entry.name) for entry in Path(f"/proc/{process}/task").iterdir())
    if len(threads) > 1:
        names = ", ".join(Path(f"/proc/{process}/task/{t}/comm").read_text().strip() for t in threads[1:])
        msg = f"{len(threads) - 1} native thread(s) run besides the main one ({names})"
        raise NotCapturable(msg)


def _refuse_descriptors(process: int, reopened: Container[int]) -> None:
    for entry in sorted(Path(f"/proc/{process}/fd").iterdir(), key=lambda entry: int(entry.name)):
        if int(entry.name) > 2 and int(entry.name) not in reopened:
            msg = f"file descriptor {entry.name} is open: {entry.readlink()}"
            raise NotCapturable(msg, descriptor=int(entry.name))


def _kernel_state(thread: int, memory: Memory) -> KernelState:
    found = ptrace.registers(thread)
    x87_control, mxcsr = ptrace.floating_point_control(thread)
    scratch = (found.rsp - _RED_ZONE - 512) & ~63
    kept = memory.read(scratch, 256)

    def call(number: int, *arguments: int) -> int:
        result = ptrace.inject(thread, number, *arguments)
        if result < 0:
            raise OSError(-result, f"system call {number}: {os.strerror(-result)}")
        return result

    def word(index: int = 0) -> int:
        return int(struct.unpack_from("<Q", memory.read(scratch + 8 * index, 8))[0])

    try:
        call(_PRCTL, _PR_GET_TID_ADDRESS, scratch)
        thread_id_address = word()
        call(_GET_ROBUST_LIST, 0, scratch, scratch + 8)
        robust_list, robust_bytes = word(), word(1)
        call(_RT_SIGPROCMASK, 0, 0, scratch, 8)
        signal_mask = word()
        call(_SIGALTSTACK, 0, scratch)
        stack, flags, stack_bytes = struct.unpack("<QixxxxQ", memory.read(scratch, 24))
        if flags & _SS_DISABLE:
            stack = stack_bytes = 0
        actions = []
        for number in range(1, _SIGNALS + 1):
            call(_RT_SIGACTION, number, 0, scratch, 8)
            handler, action_flags, restorer, mask = struct.unpack("<4Q", memory.read(scratch, 32))
            if handler:
                actions.append(SignalAction(number, handler, action_flags, restorer, mask))
        length = call(_GETCWD, scratch, 256)
        directory = memory.read(scratch, length).rstrip(b"\0").decode("utf-8", "surrogateescape")
    finally:
        memory.write(scratch, kept)
    return KernelState(
        rip=found.rip,
        rsp=found.rsp,
        rbx=found.rbx,
        rbp=found.rbp,
        r12=found.r12,
        r13=found.r13,
        r14=found.r14,
        r15=found.r15,
        fs_base=found.fs_base,
        gs_base=found.gs_base,
        thread_id_address=thread_id_address,
        robust_list=robust_list,
        robust_list_bytes=robust_bytes,
        signal_mask=signal_mask,
        alternate_stack=stack,
        alternate_stack_bytes=stack_bytes,
        x87_control=x87_control,
        mxcsr=mxcsr,
        actions=tuple(actions),
        directory=directory,
    )


def _regions(process: int, memory: Memory, sites: dict[int, bytes], starter: tuple[int, int]) -> tuple[Region, ...]:
    regions = []
    present = os.open(f"/proc/{process}/pagemap", os.O_RDONLY)
    try:
        for entry in _mappings(process):
            start, end, protection, shared, inode, name, flags, offset = entry
            if name in _KERNEL_OWN or starter[0] <= start < starter[1]:
                continue
            if shared and protection & WRITE:
                msg = f"writable memory is shared with others: {name or 'anonymous'}"
                raise NotCapturable(msg)
            if name == "[heap]":
                msg = "the program has a brk heap, although brk was denied"
                raise NotCapturable(msg)
            pages = _pages(memory, present, start, end, sites, from_file=inode != 0)
            regions.append(
                Region(
                    start,
                    end - start,
                    protection,
                    name if inode else "",
                    wipe_on_fork="wf" in flags,
                    no_reserve="nr" in flags,
                    pages=pages,
                    offset=offset,
                )
            )
    finally:
        os.close(present)
    return tuple(regions)


def _mappings(process: int) -> list[tuple[int, int, int, bool, int, str, set[str], int]]:
    found: list[tuple[int, int, int, bool, int, str, set[str], int]] = []
    for line in Path(f"/proc/{process}/smaps").read_text().splitlines():
        match = _MAPS_LINE.fullmatch(line)
        if match:
            start, end, r, w, x, sharing, offset, inode, name = match.groups()
            protection = READ * (r == "r") | WRITE * (w == "w") | EXECUTE * (x == "x")
            place = int(start, 16), int(end, 16)
            found.append((*place, protection, sharing == "s", int(inode), name, set(), int(offset, 16)))
        elif line.startswith("VmFlags:"):
            found[-1][6].update(line.split()[1:])
    return found


_CHUNK_PAGES = 1024
_ZEROS = bytes(PAGE)


def _pages(
    memory: Memory, present: int, start: int, end: int, sites: dict[int, bytes], *, from_file: bool
) -> dict[int, bytes]:
    """The pages that are not zero. Anonymous pages that were never touched are not read at all."""
    pages: dict[int, bytes] = {}
    for address in range(start, end, _CHUNK_PAGES * PAGE):
        count = min(_CHUNK_PAGES, (end - address) // PAGE)
        entries = struct.unpack(f"<{count}Q", os.pread(present, 8 * count, address // PAGE * 8))
        if not from_file and not any(entry >> 62 for entry in entries):
            continue
        try:
            content = bytearray(memory.read(address, count * PAGE))
        except OSError:
            if from_file:  # beyond the end of the file: nothing there that could be read
                continue
            raise
        original_bytes(content, address, sites)
        for index in range(count):
            page = bytes(content[index * PAGE : (index + 1) * PAGE])
            if page != _ZEROS:
                pages[address + index * PAGE] = page
    return pages
