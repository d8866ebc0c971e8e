"""Reads everything of a stopped process that a restore must bring back."""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from pyl.image.arch.interface import Processor
from pyl.image.capture.traced_process import Sites, TracedProcess, original_content, parent_of
from pyl.image.ptrace import Memory
from pyl.image.snapshot import EXECUTE, READ, WRITE, KernelState, Region, SignalAction, Snapshot
from pyl.lambda_environment import PAGE

_PR_GET_TID_ADDRESS = 40
_SIGNALS = 64
_SS_DISABLE = 2
_SIGNAL_SET_BYTES = 8
_LONGEST_PATH = 256
_SCRATCH_BYTES = 512
_CACHE_LINE = 64

_KERNEL_OWN = {"[stack]", "[vdso]", "[vvar]", "[vvar_vclock]", "[vsyscall]", "[uprobes]"}
_MAPS_LINE = re.compile(r"([0-9a-f]+)-([0-9a-f]+) ([r-])([w-])([x-])([ps]) ([0-9a-f]+) \S+ (\d+)\s*(.*)")

_CHUNK_PAGES = 1024
_ZEROS = bytes(PAGE)


class NotCapturable(Exception):
    """The process holds something that cannot be brought back."""

    def __init__(
        self, message: str, *, descriptor: int | None = None, address: int | None = None, pending: int | None = None
    ) -> None:
        """Say what it holds; a descriptor, the memory at an address, or a pending signal is to blame."""
        super().__init__(message)
        self.pending = pending
        self.descriptor = descriptor
        self.address = address


def take_snapshot(
    processor: Processor,
    thread: int,
    process: TracedProcess,
    *,
    capture_loader: tuple[int, int],
    thread_starters: Mapping[int, str],
    reopened: Container[int] = (),
) -> Snapshot:
    """Return a snapshot of a process that is stopped behind the system call that asked for it.

    Args:
        processor: This machine's.
        thread: The process's only thread.
        process: The process.
        capture_loader: Address range of the program that started it.
        thread_starters: Native threads by id, with the library that started each.
        reopened: File descriptors that the process will open again by itself.

    Raises:
        NotCapturable: The process holds something that cannot be brought back.
    """
    _refuse_threads(thread, thread_starters)
    _refuse_threads(parent_of(thread), thread_starters, but=_RESTARTED_BY)
    _refuse_descriptors(thread, reopened)
    _refuse_pending_signals(parent_of(thread))
    state = _kernel_state(processor, thread, process.memory)
    regions = _regions(processor, thread, process.memory, process.sites, capture_loader)
    stack_pointer = processor.read_registers(thread).stack_pointer
    free = process.thread_stacks.without_thread(stack_pointer)
    own = next(region.address for region in regions if 0 <= stack_pointer - region.address < region.length)
    free.append((own, stack_pointer - processor.red_zone))
    return Snapshot(tuple(_without_dead_frames(region, free) for region in regions), state)


def _without_dead_frames(region: Region, free: Iterable[tuple[int, int]]) -> Region:
    """Return the region without what returned functions have left in `free`, start and end of parts of stacks."""
    end = region.address + region.length
    for free_start, free_end in free:
        if region.address < free_end and free_start < end:
            region = replace(region, pages=dict(_pages_outside(region.pages, free_start, free_end)))
    return region


def _pages_outside(pages: Mapping[int, bytes], free_start: int, free_end: int) -> Iterator[tuple[int, bytes]]:
    """Yield (address, content) of pages, with zeros from `free_start`, the beginning of a page, to `free_end`."""
    for address, page in pages.items():
        kept = page[max(free_end - address, 0) :] if free_start <= address else page
        content = bytes(PAGE - len(kept)) + kept
        if content != _ZEROS:
            yield address, content


_RESTARTED_BY = re.compile(r"lib(scipy_)?openblas.*|libgomp.*|libmkl.*")
"""Libraries that start their threads anew in a forked child."""


def _refuse_threads(process: int, starters: Mapping[int, str], *, but: re.Pattern[str] | None = None) -> None:
    """Refuse native threads besides the main one: neither a fork nor an image keeps them."""
    threads = sorted(int(entry.name) for entry in Path(f"/proc/{process}/task").iterdir())
    lost = [
        thread
        for thread in threads
        if thread != process and not (but is not None and but.fullmatch(starters.get(thread, "")))
    ]
    if lost:
        names = dict.fromkeys(Path(f"/proc/{process}/task/{thread}/comm").read_text().strip() for thread in lost)
        libraries = dict.fromkeys(starters[thread] for thread in lost if starters.get(thread))
        by = f", started by {', '.join(libraries)}" if libraries else ""
        msg = f"{len(lost)} native thread(s) run besides the main one ({', '.join(names)}{by})"
        raise NotCapturable(msg)


def _refuse_pending_signals(process: int) -> None:
    """Refuse signals that wait to be unblocked: a fork has none of them."""
    status = Path(f"/proc/{process}/status").read_text()
    masks = [int(text, 16) for text in re.findall(r"^(?:SigPnd|ShdPnd):\s*([0-9a-f]+)$", status, re.MULTILINE)]
    pending = [number + 1 for number in range(_SIGNALS) if any(mask >> number & 1 for mask in masks)]
    if pending:
        msg = f"signal {pending[0]} is blocked and pending"
        raise NotCapturable(msg, pending=pending[0])


def _refuse_descriptors(process: int, reopened: Container[int]) -> None:
    for entry in sorted(Path(f"/proc/{process}/fd").iterdir(), key=lambda entry: int(entry.name)):
        if int(entry.name) > 2 and int(entry.name) not in reopened:
            msg = f"file descriptor {entry.name} is open: {entry.readlink()}"
            raise NotCapturable(msg, descriptor=int(entry.name))


def _kernel_state(processor: Processor, thread: int, memory: Memory) -> KernelState:
    """Read what only the process itself can ask for, by system calls made in it."""
    calls = processor.system_calls
    stack_pointer = processor.read_registers(thread).stack_pointer
    scratch = (stack_pointer - processor.red_zone - _SCRATCH_BYTES) & ~(_CACHE_LINE - 1)
    scratch_content = memory.read(scratch, _LONGEST_PATH)

    def call(number: int, *arguments: int) -> int:
        result = processor.inject(thread, number, *arguments)
        if result < 0:
            raise OSError(-result, f"system call {number}: {os.strerror(-result)}")
        return result

    def word(index: int = 0) -> int:
        return int(struct.unpack_from("<Q", memory.read(scratch + 8 * index, 8))[0])

    try:
        call(calls.prctl, _PR_GET_TID_ADDRESS, scratch)
        thread_id_address = word()
        call(calls.get_robust_list, 0, scratch, scratch + 8)
        robust_list, robust_list_bytes = word(), word(1)
        call(calls.rt_sigprocmask, 0, 0, scratch, _SIGNAL_SET_BYTES)
        signal_mask = word()
        call(calls.sigaltstack, 0, scratch)
        stack, flags, stack_bytes = struct.unpack("<QixxxxQ", memory.read(scratch, 24))
        if flags & _SS_DISABLE:
            stack = stack_bytes = 0
        actions = []
        for number in range(1, _SIGNALS + 1):
            call(calls.rt_sigaction, number, 0, scratch, _SIGNAL_SET_BYTES)
            handler, action_flags, restorer, mask = struct.unpack("<4Q", memory.read(scratch, 32))
            if handler:
                actions.append(SignalAction(number, handler, action_flags, restorer, mask))
        length = call(calls.getcwd, scratch, _LONGEST_PATH)
        directory = memory.read(scratch, length).rstrip(b"\0").decode("utf-8", "surrogateescape")
    finally:
        memory.write(scratch, scratch_content)
    return KernelState(
        processor=processor.read_state(thread),
        thread_id_address=thread_id_address,
        robust_list=robust_list,
        robust_list_bytes=robust_list_bytes,
        signal_mask=signal_mask,
        alternate_stack=stack,
        alternate_stack_bytes=stack_bytes,
        actions=tuple(actions),
        directory=directory,
    )


def _regions(
    processor: Processor, process: int, memory: Memory, sites: Sites, capture_loader: tuple[int, int]
) -> tuple[Region, ...]:
    regions = []
    pagemap = os.open(f"/proc/{process}/pagemap", os.O_RDONLY)
    try:
        for entry in _mappings(process):
            start, end, protection, shared, inode, name, flags, offset = entry
            if name in _KERNEL_OWN or capture_loader[0] <= start < capture_loader[1]:
                continue
            if shared and protection & WRITE:
                msg = f"writable memory is shared with others: {name or 'anonymous'}"
                raise NotCapturable(msg, address=start)
            if name == "[heap]":
                msg = "the program has a brk heap, although brk was denied"
                raise NotCapturable(msg)
            pages = {
                address: page
                for first, content in _present_memory(memory, pagemap, start, end, from_file=inode != 0)
                for address, page in _pages(original_content(content, first, sites, processor.breakpoint), first)
            }
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
        os.close(pagemap)
    return tuple(regions)


def _mappings(process: int) -> list[tuple[int, int, int, bool, int, str, set[str], int]]:
    """Return (start, end, protection, is shared, inode, name, flags, offset) of each mapping."""
    mappings: list[tuple[int, int, int, bool, int, str, set[str], int]] = []
    for line in Path(f"/proc/{process}/smaps").read_text().splitlines():
        match = _MAPS_LINE.fullmatch(line)
        if match:
            start, end, r, w, x, sharing, offset, inode, name = match.groups()
            protection = READ * (r == "r") | WRITE * (w == "w") | EXECUTE * (x == "x")
            place = int(start, 16), int(end, 16)
            mappings.append((*place, protection, sharing == "s", int(inode), name, set(), int(offset, 16)))
        elif line.startswith("VmFlags:"):
            mappings[-1][6].update(line.split()[1:])
    return mappings


def _present_memory(
    memory: Memory, pagemap: int, start: int, end: int, *, from_file: bool
) -> Iterator[tuple[int, bytes]]:
    """Yield (address, content) of chunks of a mapping, without anonymous ones that were never touched."""
    for address in range(start, end, _CHUNK_PAGES * PAGE):
        count = min(_CHUNK_PAGES, (end - address) // PAGE)
        entries = struct.unpack(f"<{count}Q", os.pread(pagemap, 8 * count, address // PAGE * 8))
        if not from_file and not any(entry >> 62 for entry in entries):
            continue
        try:
            yield address, memory.read(address, count * PAGE)
        except OSError:
            if not from_file:  # else it is beyond the end of the file, where nothing can be read
                raise


def _pages(content: bytes, start: int) -> list[tuple[int, bytes]]:
    """Return (address, content) of the pages that are not zero."""
    pages = ((start + place, content[place : place + PAGE]) for place in range(0, len(content), PAGE))
    return [(address, page) for address, page in pages if page != _ZEROS]
