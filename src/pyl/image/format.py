"""Writes the file `pyl/image` from snapshots; docs/image-format.md describes it, c/image.h is the launcher's view."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pyl.image.addresses import PAGE
from pyl.image.guards import Guard
from pyl.image.layout import SEGMENT_ZERO, Pages, Placed
from pyl.image.snapshot import KernelState, Snapshot

MAGIC = int.from_bytes(b"PYLIMAGE", "little")
VERSION = 3
_HEADER = struct.Struct("<QIIQQ4I")
_VARIANT = struct.Struct("<II 2I2I2I2I2I 16Q4I")
_GUARD = struct.Struct("<4I")
_SEGMENT = struct.Struct("<3Q2I")
_FILE = struct.Struct("<2IQ")
_FILE_SHIFT = 16
"""The number of the file that a segment is mapped from, the first being 1, stands in its flags from this bit on."""
_RANGE = struct.Struct("<2Q")
_ACTION = struct.Struct("<5Q")
_HEADER_BYTES_AT, _CHECKSUM_AT = 12, 24
_TASK_ROOT = "/var/task"


@dataclass(frozen=True)
class Variant:
    """One image of the file: the launcher takes the first whose guards hold."""

    kind: int
    snapshot: Snapshot
    guards: tuple[Guard, ...]
    touched: Mapping[int, bool] = field(default_factory=dict)
    """The pages that a cold start touches, by address, in order: is it written?"""


@dataclass
class _Strings:
    """Strings that end in a zero byte, each stored once."""

    content: bytearray = field(default_factory=lambda: bytearray(1))
    places: dict[str, int] = field(default_factory=lambda: {"": 0})

    def place(self, text: str) -> int:
        if text not in self.places:
            self.places[text] = len(self.content)
            self.content += text.encode("utf-8", "surrogateescape") + b"\0"
        return self.places[text]


def checksum(header: bytes) -> int:
    """As `checksum` in restore.c: two lanes over the header's words, its own word taken as zero."""
    mask = 2**64 - 1
    words = list(struct.unpack(f"<{len(header) // 8}Q", header))
    words[_CHECKSUM_AT // 8] = 0
    a, b = 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F
    for first, second in zip(words[::2], words[1::2], strict=True):
        a = ((a ^ first) * 0xFF51AFD7ED558CCD) & mask
        a ^= a >> 32
        b = ((b ^ second) * 0xC4CEB9FE1A85EC53) & mask
        b ^= b >> 29
    return a ^ ((b << 1 | b >> 63) & mask)


def write(output: Path, variants: Sequence[Variant], package: Path) -> tuple[Placed, ...]:
    """Write the image of `package`; how each variant lies in it."""
    pages = Pages(shared=len(variants) > 1)
    placed = tuple(pages.place(variant.snapshot.regions, variant.touched) for variant in variants)
    names = dict.fromkeys(segment.file for layout in placed for segment in layout.segments if segment.file)
    files = {name: (package / name).stat().st_size for name in names}
    first_page = -(-len(_header(variants, placed, files, first_page=0)) // PAGE) * PAGE
    header = bytearray(_header(variants, placed, files, first_page=first_page).ljust(first_page, b"\0"))
    struct.pack_into("<IQ", header, _HEADER_BYTES_AT, len(header), first_page + len(pages.content))
    struct.pack_into("<Q", header, _CHECKSUM_AT, checksum(bytes(header)))
    with output.open("wb") as file:
        file.write(header)
        file.write(pages.content)
    return placed


def _header(
    variants: Sequence[Variant], layouts: Sequence[Placed], files: Mapping[str, int], *, first_page: int
) -> bytes:
    strings = _Strings()
    tables = bytearray()
    start = _HEADER.size + _VARIANT.size * len(variants)
    start += -start % 8

    def table(rows: list[bytes]) -> tuple[int, int]:
        place = start + len(tables)
        tables.extend(b"".join(rows))
        return place, len(rows)

    # Strings come last; their offsets depend on the tables' size, which does not depend on theirs.
    sizes = sum(_sizes(variant, layout) for variant, layout in zip(variants, layouts, strict=True))
    sizes += _FILE.size * len(files)
    text = start + sizes
    numbers = {name: number for number, name in enumerate(files, 1)}
    named = table([_FILE.pack(text + strings.place(f"{_TASK_ROOT}/{name}"), 0, size) for name, size in files.items()])
    packed = bytearray()
    for variant, layout in zip(variants, layouts, strict=True):
        guards = table(
            [
                _GUARD.pack(g.kind, text + strings.place(g.name), text + strings.place(g.value), 0)
                for g in variant.guards
            ]
        )
        placed = table(
            [
                _SEGMENT.pack(
                    s.address,
                    s.length,
                    s.offset if s.file or s.flags & SEGMENT_ZERO else first_page + s.offset,
                    s.protection,
                    s.flags | numbers.get(s.file, 0) << _FILE_SHIFT,
                )
                for s in layout.segments
            ]
        )
        actions = table(
            [_ACTION.pack(a.number, a.handler, a.flags, a.restorer, a.mask) for a in variant.snapshot.state.actions]
        )
        ahead = table([_RANGE.pack(s, n) for s, n in _requests(layout, first_page)])
        populate = table([_RANGE.pack(s, n) for s, n in layout.populate])
        packed += _VARIANT.pack(
            variant.kind,
            0,
            *guards,
            *placed,
            *actions,
            *ahead,
            *populate,
            *_state(variant.snapshot.state, strings, text),
        )
    head = _HEADER.pack(MAGIC, VERSION, 0, 0, 0, _HEADER.size, len(variants), *named)
    head = (head + packed).ljust(start, b"\0")
    return bytes(head + tables.ljust(sizes, b"\0") + strings.content)


def _sizes(variant: Variant, layout: Placed) -> int:
    ranges = len(_requests(layout, 0)) + len(layout.populate)
    return (
        _GUARD.size * len(variant.guards)
        + _SEGMENT.size * len(layout.segments)
        + _ACTION.size * len(variant.snapshot.state.actions)
        + _RANGE.size * ranges
    )


def _state(state: KernelState, strings: _Strings, text: int) -> tuple[int, ...]:
    elsewhere = state.directory not in ("", _TASK_ROOT)
    return (
        state.rip,
        state.rsp,
        state.rbx,
        state.rbp,
        state.r12,
        state.r13,
        state.r14,
        state.r15,
        state.fs_base,
        state.gs_base,
        state.thread_id_address,
        state.robust_list,
        state.robust_list_bytes,
        state.signal_mask,
        state.alternate_stack,
        state.alternate_stack_bytes,
        state.x87_control,
        state.mxcsr,
        text + strings.place(state.directory) if elsewhere else 0,
        0,
    )


_READ_AHEAD_CHUNK = 128 << 10
"""Bytes. Linux cuts longer requests to the device's read-ahead size without a word."""


def _requests(layout: Placed, first_page: int) -> list[tuple[int, int]]:
    """What is read ahead, in pieces that the kernel reads whole."""
    start, length = layout.read_ahead
    return [
        (first_page + start + done, min(_READ_AHEAD_CHUNK, length - done))
        for done in range(0, length, _READ_AHEAD_CHUNK)
    ]
