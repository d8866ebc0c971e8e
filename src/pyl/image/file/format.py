"""Writes the files of a process image. docs/image-format.md describes them, structures.py declares their structures."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pyl.image.file.guards import Guard
from pyl.image.file.layout import Pages, Placed, Range, Segment
from pyl.image.file.names import IMAGE, MEMORY
from pyl.image.file.structures import (
    ACTION,
    CHECKSUM_FACTORS,
    CHECKSUM_SEEDS,
    FILE,
    GUARD,
    HEADER,
    MAGIC,
    NO_SAMPLE,
    RANGE,
    SEGMENT,
    SEGMENT_FILE_SHIFT,
    SEGMENT_PROTECT,
    VARIANT,
    VERSION,
    WORD_KIND,
)
from pyl.image.snapshot import KernelState, Snapshot
from pyl.lambda_environment import PAGE, TASK_ROOT


@dataclass(frozen=True)
class Variant:
    """One of several images in one: the launcher takes the first whose guards hold."""

    kind: int
    snapshot: Snapshot
    guards: tuple[Guard, ...]
    touched: Mapping[int, bool] = field(default_factory=dict)
    """Address of each page that a cold start touches to whether it is written, in order."""
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
        """Store a string, and return its offset in the file."""
        if text not in self.places:
            self.places[text] = self.start + len(self.content)
            self.content += text.encode("utf-8", "surrogateescape") + b"\0"
        return self.places[text]


def checksum(header: bytes) -> int:
    """Return the checksum of a header as header.c computes it: two lanes over its words, its own word taken as zero."""
    mask = 2**64 - 1
    words = list(struct.unpack(f"<{len(header) // 8}Q", header))
    words[HEADER.offset("checksum") // 8] = 0
    a, b = CHECKSUM_SEEDS
    for first, second in zip(words[::2], words[1::2], strict=True):
        a = ((a ^ first) * CHECKSUM_FACTORS[0]) & mask
        a ^= a >> 32
        b = ((b ^ second) * CHECKSUM_FACTORS[1]) & mask
        b ^= b >> 29
    return a ^ ((b << 1 | b >> 63) & mask)


def write(package: Path, variants: Sequence[Variant]) -> None:
    """Write the image of `package` into it."""
    pages = Pages()
    layouts = tuple(
        pages.place(variant.snapshot.regions, variant.touched, patched=variant.is_patched) for variant in variants
    )
    libraries = dict.fromkeys(segment.file for layout in layouts for segment in layout.segments if segment.file)
    files = {MEMORY: len(pages.memory), **{name: (package / name).stat().st_size for name in libraries}}
    # One byte more: the header ends in a zero, so that each of its strings has an end.
    length = (len(_header(variants, layouts, files, length=0)) // PAGE + 1) * PAGE
    header = bytearray(_header(variants, layouts, files, length=length).ljust(length, b"\0"))
    struct.pack_into("<I", header, HEADER.offset("header_bytes"), length)
    struct.pack_into("<Q", header, HEADER.offset("file_bytes"), length + len(pages.readahead_file))
    struct.pack_into("<Q", header, HEADER.offset("checksum"), checksum(bytes(header)))
    # Files of their own: the kernel reads ahead as far as a file goes.
    (package / IMAGE).write_bytes(header + pages.readahead_file)
    (package / MEMORY).write_bytes(pages.memory)


class _Tables:
    """The tables of a header, one behind the other."""

    def __init__(self, start: int) -> None:
        self.content = bytearray()
        self._start = start

    def add(self, rows: Iterable[bytes]) -> dict[str, int]:
        """Append a table; return the members of its `struct table`."""
        offset, packed = self._start + len(self.content), list(rows)
        self.content += b"".join(packed)
        return {"offset": offset, "count": len(packed)}


def _header(variants: Sequence[Variant], layouts: Sequence[Placed], files: Mapping[str, int], *, length: int) -> bytes:
    """Return the header without its sizes and checksum.

    Args:
        variants: What is stored.
        layouts: How it is stored.
        files: Sizes of the files that segments are mapped from.
        length: Bytes of the header itself, which precede the pages in the file.
    """
    strings_start = HEADER.size + sum(VARIANT.size + len(variant.snapshot.state.processor) for variant in variants)
    strings = _Strings(strings_start)
    for name in _strings(variants, files):
        strings.place(name)
    tables_start = -(-(strings_start + len(strings.content)) // 8) * 8
    tables = _Tables(tables_start)
    numbers = {name: number for number, name in enumerate(files)}
    file_table = tables.add(FILE.pack(path=strings.place(_path(name)), bytes=size) for name, size in files.items())
    packed_variants = b"".join(
        _variant(variant, layout, tables, strings, numbers, length)
        for variant, layout in zip(variants, layouts, strict=True)
    )
    head = HEADER.pack(
        magic=MAGIC,
        version=VERSION,
        variants={"offset": HEADER.size, "count": len(variants)},
        files=file_table,
    )
    return bytes((head + packed_variants + strings.content).ljust(tables_start, b"\0") + tables.content)


def _variant(
    variant: Variant, layout: Placed, tables: _Tables, strings: _Strings, numbers: Mapping[str, int], length: int
) -> bytes:
    state = variant.snapshot.state
    guards = (GUARD.pack(kind=g.kind, name=strings.place(g.name), value=strings.place(g.value)) for g in variant.guards)
    kinds = (
        WORD_KIND.pack(base=kind.base, own=2 ** (8 * kind.bytes) - 1, own_bytes=kind.bytes) for kind in layout.kinds
    )
    actions = (
        ACTION.pack(number=a.number, handler=a.handler, flags=a.flags, restorer=a.restorer, mask=a.mask)
        for a in state.actions
    )
    packed = VARIANT.pack(
        kind=variant.kind,
        guards=tables.add(guards),
        segments=tables.add(_segment(segment, numbers[segment.file or MEMORY]) for segment in layout.segments),
        mapped=tables.add(_ranges(_mapped_ranges(layout.segments))),
        encoded=tables.add(_ranges(layout.encoded)),
        word_kinds=tables.add(kinds),
        packed=tables.add(_segment(replace(segment, offset=length + segment.offset)) for segment in layout.packed),
        actions=tables.add(actions),
        populate=tables.add(_ranges(layout.populate)),
        rarely_used=tables.add(_ranges(layout.rarely_used)),
        neighbourhoods=tables.add(_ranges(layout.neighbourhoods)),
        patched=tables.add(_ranges(layout.patched)),
        readahead={"start": length + layout.readahead[0], "length": layout.readahead[1]},
        encoded_bytes=layout.encoded_bytes,
        sample=NO_SAMPLE if layout.sample is None else layout.sample,
        patches=layout.patches,
        kernel=_kernel_state(state, strings),
    )
    return packed + state.processor


def _mapped_ranges(segments: Iterable[Segment]) -> list[Range]:
    """Return the memory that `segments` map, by address, each range as long as it can be."""
    ranges: list[Range] = []
    mapped = (segment for segment in segments if not segment.flags & SEGMENT_PROTECT)
    for segment in sorted(mapped, key=lambda segment: segment.address):
        if ranges and sum(ranges[-1]) == segment.address:
            ranges[-1] = (ranges[-1][0], ranges[-1][1] + segment.length)
        else:
            ranges.append((segment.address, segment.length))
    return ranges


def _ranges(ranges: Iterable[Range]) -> Iterator[bytes]:
    return (RANGE.pack(start=start, length=length) for start, length in ranges)


def _strings(variants: Iterable[Variant], files: Iterable[str]) -> Iterator[str]:
    """Yield every string of a header."""
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
    return SEGMENT.pack(
        address=segment.address,
        length=segment.length,
        offset=segment.offset,
        protection=segment.protection,
        flags=segment.flags | file << SEGMENT_FILE_SHIFT,
    )


def _kernel_state(state: KernelState, strings: _Strings) -> dict[str, int]:
    is_elsewhere = state.directory not in ("", TASK_ROOT)
    return {
        "thread_id_address": state.thread_id_address,
        "robust_list": state.robust_list,
        "robust_list_bytes": state.robust_list_bytes,
        "signal_mask": state.signal_mask,
        "alternate_stack": state.alternate_stack,
        "alternate_stack_bytes": state.alternate_stack_bytes,
        "directory": strings.place(state.directory) if is_elsewhere else 0,
    }
