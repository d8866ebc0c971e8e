"""Writes the file `pyl/image` from snapshots; docs/image-format.md describes it, c/image.h is the launcher's view."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pyl.image.addresses import PAGE
from pyl.image.guards import Guard
from pyl.image.snapshot import KernelState, Region, Snapshot

MAGIC = int.from_bytes(b"PYLIMAGE", "little")
VERSION = 1
SEGMENT_ZERO, SEGMENT_WIPE_ON_FORK, SEGMENT_NO_RESERVE, SEGMENT_RANDOM = 1, 2, 4, 8

_SMALLEST_ZERO_RUN = 64
"""Pages. Shorter runs of zero pages are stored: a mapping costs more than the few bytes that they deflate to."""

_ZEROS = bytes(PAGE)

_HEADER = struct.Struct("<QIIQQII")
_VARIANT = struct.Struct("<II 2I2I2I2I2I 16Q4I")
_GUARD = struct.Struct("<4I")
_SEGMENT = struct.Struct("<3Q2I")
_RANGE = struct.Struct("<2Q")
_ACTION = struct.Struct("<5Q")
_CHECKSUM_AT = 24
_TASK_ROOT = "/var/task"


@dataclass(frozen=True)
class Segment:
    address: int
    length: int
    protection: int
    flags: int
    offset: int = 0
    """In the file; 0 for zeros."""


@dataclass(frozen=True)
class Variant:
    """One image of the file: the launcher takes the first whose guards hold."""

    kind: int
    snapshot: Snapshot
    guards: tuple[Guard, ...]
    read_ahead: tuple[tuple[int, int], ...] = ()
    """(start, length) in the file of what a cold start reads, beginning with the first stored page at 0."""
    populate: tuple[tuple[int, int], ...] = ()
    """(start, length) in memory of what a cold start writes."""
    trial: bool = False
    """For the trial restore: the kernel shall read no page but those that are touched."""


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


def segments_of(regions: Iterable[Region]) -> list[tuple[Segment, dict[int, bytes]]]:
    """Fewest mappings that bring `regions` back: neighbours of one kind merged, long runs of zeros apart."""
    merged: list[tuple[Segment, dict[int, bytes]]] = []
    for region in sorted(regions, key=lambda region: region.address):
        flags = SEGMENT_WIPE_ON_FORK * region.wipe_on_fork | SEGMENT_NO_RESERVE * region.no_reserve
        last = merged[-1][0] if merged else None
        if last and (last.address + last.length, last.protection, last.flags) == (
            region.address,
            region.protection,
            flags,
        ):
            merged[-1] = (replace(last, length=last.length + region.length), merged[-1][1] | region.pages)
        else:
            merged.append((Segment(region.address, region.length, region.protection, flags), region.pages))
    return [piece for segment, pages in merged for piece in _split(segment, pages)]


def _split(segment: Segment, pages: dict[int, bytes]) -> list[tuple[Segment, dict[int, bytes]]]:
    end = segment.address + segment.length
    runs: list[list[int]] = []  # stored stretches: [start, end]
    for address in sorted(pages):
        if runs and address - runs[-1][1] < _SMALLEST_ZERO_RUN * PAGE:
            runs[-1][1] = address + PAGE
        else:
            runs.append([address, address + PAGE])
    if runs and runs[0][0] - segment.address < _SMALLEST_ZERO_RUN * PAGE:
        runs[0][0] = segment.address
    if runs and end - runs[-1][1] < _SMALLEST_ZERO_RUN * PAGE:
        runs[-1][1] = end
    pieces: list[tuple[Segment, dict[int, bytes]]] = []
    position = segment.address
    for start, stop in runs:
        if start > position:
            pieces.append((_zero(segment, position, start), {}))
        stored = replace(segment, address=start, length=stop - start)
        pieces.append((stored, {a: pages[a] for a in range(start, stop, PAGE) if a in pages}))
        position = stop
    if position < end:
        pieces.append((_zero(segment, position, end), {}))
    return pieces


def _zero(segment: Segment, start: int, end: int) -> Segment:
    return replace(segment, address=start, length=end - start, flags=segment.flags | SEGMENT_ZERO)


_SHORTEST_SHARED_RUN = 16
"""Pages. Sharing fewer with an earlier variant costs more mappings than the bytes are worth."""


class _Pages:
    """The stored pages; offsets count from the first of them."""

    def __init__(self) -> None:
        self.content = bytearray()
        self._places: dict[tuple[int, bytes], int] = {}

    def store(self, segment: Segment, pages: dict[int, bytes]) -> list[Segment]:
        """Store a segment; runs that an earlier variant stored for the same addresses are used again."""
        stretches: list[Segment] = []
        for start, length, offset in self._runs(segment, pages):
            place = self._append(start, length, pages) if offset is None else offset
            last = stretches[-1] if stretches else None
            if last and last.offset + last.length == place:
                stretches[-1] = replace(last, length=last.length + length)
            else:
                stretches.append(replace(segment, address=start, length=length, offset=place))
        return stretches

    def _runs(self, segment: Segment, pages: dict[int, bytes]) -> list[tuple[int, int, int | None]]:
        """(address, length, offset of the stored pages or None when they are to be stored)."""
        found: list[tuple[int, int, int | None]] = []
        for address in range(segment.address, segment.address + segment.length, PAGE):
            offset = self._places.get(self._key(address, pages))
            start, length, first = found[-1] if found else (0, 0, None)
            follows = found and (offset is None) == (first is None)
            if follows and (offset is None or first is None or first + length == offset):
                found[-1] = (start, length + PAGE, first)
            else:
                found.append((address, PAGE, offset))
        return [
            (start, length, offset if length >= _SHORTEST_SHARED_RUN * PAGE else None)
            for start, length, offset in found
        ]

    def _append(self, start: int, length: int, pages: dict[int, bytes]) -> int:
        place = len(self.content)
        for address in range(start, start + length, PAGE):
            self._places.setdefault(self._key(address, pages), len(self.content))
            self.content += pages.get(address, _ZEROS)
        return place

    def _key(self, address: int, pages: dict[int, bytes]) -> tuple[int, bytes]:
        return address, hashlib.blake2b(pages.get(address, _ZEROS), digest_size=16).digest()


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


@dataclass(frozen=True)
class Written:
    """What `write` wrote."""

    bytes: int
    first_page: int
    """Offset of the first stored page."""
    segments: tuple[Segment, ...]
    """Those of the first variant; their offsets count from `first_page`."""


def write(output: Path, variants: Sequence[Variant]) -> Written:
    """Write the image."""
    pages = _Pages()
    stored = [
        [
            piece
            for segment, content in segments_of(variant.snapshot.regions)
            for piece in ([segment] if segment.flags & SEGMENT_ZERO else pages.store(segment, content))
        ]
        for variant in variants
    ]
    first_page = -(-len(_header(variants, stored, first_page=0)) // PAGE) * PAGE
    header = bytearray(_header(variants, stored, first_page=first_page).ljust(first_page, b"\0"))
    _HEADER.pack_into(
        header,
        0,
        MAGIC,
        VERSION,
        len(header),
        first_page + len(pages.content),
        0,
        _HEADER.size,
        len(variants),
    )
    struct.pack_into("<Q", header, _CHECKSUM_AT, checksum(bytes(header)))
    with output.open("wb") as file:
        file.write(header)
        file.write(pages.content)
    return Written(first_page + len(pages.content), first_page, tuple(stored[0]))


def _header(variants: Sequence[Variant], stored: list[list[Segment]], *, first_page: int) -> bytes:
    strings = _Strings()
    tables = bytearray()
    start = _HEADER.size + _VARIANT.size * len(variants)
    start += -start % 8

    def table(rows: list[bytes]) -> tuple[int, int]:
        place = start + len(tables)
        tables.extend(b"".join(rows))
        return place, len(rows)

    # Strings come last; their offsets depend on the tables' size, which does not depend on theirs.
    sizes = sum(_sizes(variant, segments) for variant, segments in zip(variants, stored, strict=True))
    text = start + sizes
    packed = bytearray()
    for variant, segments in zip(variants, stored, strict=True):
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
                    0 if s.flags & SEGMENT_ZERO else first_page + s.offset,
                    s.protection,
                    s.flags | SEGMENT_RANDOM * variant.trial,
                )
                for s in segments
            ]
        )
        actions = table(
            [_ACTION.pack(a.number, a.handler, a.flags, a.restorer, a.mask) for a in variant.snapshot.state.actions]
        )
        ahead = table([_RANGE.pack(s, n) for s, n in _requests(variant.read_ahead, first_page)])
        populate = table([_RANGE.pack(s, n) for s, n in variant.populate])
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
    head = (_HEADER.pack(MAGIC, VERSION, 0, 0, 0, _HEADER.size, len(variants)) + packed).ljust(start, b"\0")
    return bytes(head + tables.ljust(sizes, b"\0") + strings.content)


def _sizes(variant: Variant, segments: list[Segment]) -> int:
    ranges = len(_requests(variant.read_ahead, 0)) + len(variant.populate)
    return (
        _GUARD.size * len(variant.guards)
        + _SEGMENT.size * len(segments)
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


def _requests(ranges: Iterable[tuple[int, int]], first_page: int) -> list[tuple[int, int]]:
    """Stretches of the file in pieces that the kernel reads whole."""
    return [
        (first_page + start + done, min(_READ_AHEAD_CHUNK, length - done))
        for start, length in ranges
        for done in range(0, length, _READ_AHEAD_CHUNK)
    ]
