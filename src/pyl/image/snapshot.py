"""The stored form of a stopped process: what a capture produces and the image file holds."""

from __future__ import annotations

from dataclasses import dataclass, field

READ, WRITE, EXECUTE = 1, 2, 4
"""Protection of memory, as in `mmap(2)`."""

BASE, FULL = 1, 2
"""Kinds of a snapshot: before and after the import of the user's modules."""


@dataclass(frozen=True)
class Region:
    """A mapping and those of its pages that are not zero."""

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
    """Offset in the mapped file of the first byte."""
    file: str = ""
    """Path in the package of the file that holds the same bytes from `offset` on; empty if no file does."""


@dataclass(frozen=True)
class SignalAction:
    """The kernel's `struct sigaction` of one signal."""

    number: int
    handler: int
    flags: int
    restorer: int
    mask: int


@dataclass(frozen=True)
class KernelState:
    """What the kernel and the processor hold of a process, besides its memory."""

    processor: bytes
    """Registers: the architecture's `struct processor_state`."""
    thread_id_address: int
    robust_list: int
    robust_list_bytes: int
    signal_mask: int
    alternate_stack: int
    alternate_stack_bytes: int
    actions: tuple[SignalAction, ...]
    directory: str
    """Working directory."""


@dataclass(frozen=True)
class Snapshot:
    """All that a restore brings back."""

    regions: tuple[Region, ...]
    state: KernelState


@dataclass(frozen=True)
class EnvironmentRead:
    """A variable that was read while the user's modules were imported."""

    name: str
    value: str | None
    where: str
    """The line of Python, or the library, that read it."""
