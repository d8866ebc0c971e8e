"""Writes the files of a process image; docs/image-format.md describes them, c/image.h is the launcher's view."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pyl.image.capture.snapshot import KernelState, Snapshot
from pyl.image.file.guards import Guard
from pyl.image.file.layout import Pages, Placed, Segment
from pyl.image.file.names import IMAGE, MEMORY
from pyl.lambda_environment import PAGE, TASK_ROOT

MAGIC = int.from_bytes(b"PYLIMAGE", "little")
VERSION = 6
_HEADER = struct.Struct("<QIIQQ4I")
_VARIANT = struct.Struct("<II 20I 5Q 16Q4I")
_GUARD = struct.Struct("<4I")
_SEGMENT = struct.Struct("<3Q2I")
_FILE = struct.Struct("<2IQ")
_FILE_SHIFT = 16
"""The number of the file that a segment is mapped from, `pyl/memory` being 0, stands in its flags from this bit on."""
_RANGE = struct.Struct("<2Q")
_ACTION = struct.Struct("<5Q")
_WORD_KIND = struct.Struct("<3Q")
_HEADER_BYTES_AT, _CHECKSUM_AT = 12, 24
_NO_SAMPLE = 2**64 - 1


@dataclass(frozen=True)
class Variant:
    """One of several images in one: the launcher takes the first whose guards hold."""

    kind: int
    snapshot: Snapshot
    guards: tuple[Guard, ...]
    touched: Mapping[int, bool] = field(default_factory=dict)
    """The pages that a cold start touches, by address, in order: is it written?"""
    is_patched: bool = False
    """Only the difference to variants before it is stored: smaller, and slower."""


@dataclass
class _Strings:
    """Strings that end in a zero byte, each stored once."""

    start: int
    """Offset of the first one in the file."""
    content: bytearray = field(default_factory=bytearray)
    places: dict[str, int] = field(default_factory=dict)

    def place(self, text: str) -> int:
        if text not in self.places:
            self.places[text] = self.start + len(self.content)
            self.content += text.encode("utf-8", "surrogateescape") + b"\0"
        return self.places[text]


def checksum(header: bytes) -> int:
    """As `checksum` in header.c: two lanes over the header's words, its own word taken as zero."""
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


def write(package: Path, variants: Sequence[Variant]) -> None:
    """Write the image of `package` into it."""
    pages = Pages()
    placed = tuple(
        pages.place(variant.snapshot.regions, variant.touched, patched=variant.is_patched) for variant in variants
    )
    libraries = dict.fromkeys(segment.file for layout in placed for segment in layout.segments if segment.file)
    files = {MEMORY: len(pages.memory), **{name: (package / name).stat().st_size for name in libraries}}
    length = -(-len(_header(variants, placed, files, length=0)) // PAGE) * PAGE
    header = bytearray(_header(variants, placed, files, length=length).ljust(length, b"\0"))
    struct.pack_into("<IQ", header, _HEADER_BYTES_AT, length, length + len(pages.ahead))
    struct.pack_into("<Q", header, _CHECKSUM_AT, checksum(bytes(header)))
    # Files of their own: the kernel reads ahead as far as a file goes.
    (package / IMAGE).write_bytes(header + pages.ahead)
    (package / MEMORY).write_bytes(pages.memory)


def _header(variants: Sequence[Variant], layouts: Sequence[Placed], files: Mapping[str, int], *, length: int) -> bytes:
    """`files` with their sizes; `length` is the header's own, which stands before what is read ahead."""
    text = _HEADER.size + _VARIANT.size * len(variants)
    strings = _Strings(text)
    for name in _strings(variants, files):
        strings.place(name)
    start = text + len(strings.content)
    start += -start % 8
    numbers = {name: number for number, name in enumerate(files)}
    tables = bytearray()

    def table(rows: list[bytes]) -> tuple[int, int]:
        place = start + len(tables)
        tables.extend(b"".join(rows))
        return place, len(rows)

    named = table([_FILE.pack(strings.place(_path(name)), 0, size) for name, size in files.items()])
    packed = bytearray()
    for variant, layout in zip(variants, layouts, strict=True):
        state = variant.snapshot.state
        ranges = (layout.populate, layout.rarely_used, layout.neighbourhoods, layout.patched)
        found = [
            table([_GUARD.pack(g.kind, strings.place(g.name), strings.place(g.value), 0) for g in variant.guards]),
            table([_segment(segment, numbers[segment.file or MEMORY]) for segment in layout.segments]),
            table([_RANGE.pack(start, length) for start, length in layout.encoded]),
            table([_WORD_KIND.pack(kind.base, 2 ** (8 * kind.bytes) - 1, kind.bytes) for kind in layout.kinds]),
            table([_segment(replace(segment, offset=length + segment.offset)) for segment in layout.packed]),
            table([_ACTION.pack(a.number, a.handler, a.flags, a.restorer, a.mask) for a in state.actions]),
            *(table([_RANGE.pack(start, length) for start, length in each]) for each in ranges),
        ]
        packed += _VARIANT.pack(
            variant.kind,
            0,
            *(number for place_and_count in found for number in place_and_count),
            length + layout.ahead[0],
            layout.ahead[1],
            layout.encoded_bytes,
            _NO_SAMPLE if layout.sample is None else layout.sample,
            layout.patches,
            *_state(state, strings),
        )
    head = _HEADER.pack(MAGIC, VERSION, 0, 0, 0, _HEADER.size, len(variants), *named)
    return bytes((head + packed + strings.content).ljust(start, b"\0") + tables)


def _strings(variants: Iterable[Variant], files: Iterable[str]) -> Iterator[str]:
    """Every string of a header."""
    for name in files:
        yield _path(name)
    for variant in variants:
        yield variant.snapshot.state.directory
        for guard in variant.guards:
            yield guard.name
            yield guard.value


def _path(name: str) -> str:
    return f"{TASK_ROOT}/{name}"


def _segment(segment: Segment, file: int = 0) -> bytes:
    return _SEGMENT.pack(
        segment.address, segment.length, segment.offset, segment.protection, segment.flags | file << _FILE_SHIFT
    )


def _state(state: KernelState, strings: _Strings) -> tuple[int, ...]:
    elsewhere = state.directory not in ("", TASK_ROOT)
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
        strings.place(state.directory) if elsewhere else 0,
        0,
    )
