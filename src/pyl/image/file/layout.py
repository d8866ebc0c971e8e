"""Lays out the pages of an image in its files, so that few mappings restore them.

One file holds memory in the order of its addresses, so that few mappings restore it: that is fast if the page cache is
warm. Another file holds, besides, the pages that a cold start touches, in the order in which they are needed: if the
page cache is cold, it is prefetched from the disk. Pages that are written have to be copied anyway, so they are encoded
in fewer bytes; the others are mapped over their places in runs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pyl.image.addresses import runs
from pyl.image.file.page_codec import Kind, choose_kinds, encode
from pyl.image.file.structures import (
    ENCODED_PAGE_MARGIN,
    SEGMENT_NO_RESERVE,
    SEGMENT_PROTECT,
    SEGMENT_WIPE_ON_FORK,
    SEGMENT_ZERO,
)
from pyl.image.snapshot import EXECUTE, READ, WRITE, Region
from pyl.lambda_environment import PAGE

_SMALLEST_ZERO_RUN = 64
"""Pages. Shorter runs of zero pages are stored: a mapping costs more than the few bytes that they deflate to."""

_GAP = 2
"""Untouched pages that are read within a run: one more mapping costs more."""

_FEW_PAGES, _FEW_WRITTEN = 16, 4
"""A run of more than `_FEW_PAGES` is mapped, not copied, unless one in `_FEW_WRITTEN` of its pages is written."""

_POPULATE_GAP = 1
"""Pages. A system call costs more than to copy one page that is not written."""

_NEIGHBOURHOOD, _MOST_NEIGHBOURHOODS = 16, 32
"""Pages between neighbourhoods at least, and how many there are at most. Around a page that is read the kernel maps
what the page cache holds, 64 kB or a whole large folio. That makes the process larger, but each border takes time."""

_FAR = (1 << 30) // PAGE
"""Pages. What is nearer to each other is in one part of the address space."""

_SHORTEST_SHARED_RUN = 16
"""Pages. Sharing fewer with an earlier variant costs more mappings than the bytes are worth."""

_ZEROS = bytes(PAGE)

Range = tuple[int, int]
"""(start, length) of memory, in bytes."""


@dataclass(frozen=True)
class Segment:
    """A mapping that a restore makes, or, with `SEGMENT_PROTECT`, a part of one."""

    address: int
    length: int
    protection: int
    flags: int
    offset: int = 0
    """In `file`; 0 for zeros."""
    file: str = ""
    """Path in the package of the file that it is mapped from; empty for what is stored."""


@dataclass(frozen=True, kw_only=True)
class Placed:
    """How one variant is stored."""

    segments: tuple[Segment, ...]
    """In the order in which they are mapped; those with SEGMENT_PROTECT are parts of mapped ones."""
    readahead: Range = (0, 0)
    """The part of `Pages.readahead_file` that is read if the page cache is cold: encoded, then packed pages."""
    encoded: tuple[Range, ...] = ()
    """Memory that a cold start writes, to be decoded over `segments` if the page cache is cold. Its pages are the first
    ones of `readahead`, with a margin behind them."""
    encoded_bytes: int = 0
    """With the margin."""
    kinds: tuple[Kind, ...] = ()
    """Kinds of the encoded words."""
    packed: tuple[Segment, ...] = ()
    """Other memory that a cold start touches, to be mapped over `segments` if the page cache is cold. Offsets are in
    `Pages.readahead_file`."""
    sample: int | None = None
    """Offset in `Pages.memory` of a page that a cold start touches: if the page cache holds it, it is warm."""
    populate: tuple[Range, ...] = ()
    """Memory that a cold start writes, to be copied at once."""
    rarely_used: tuple[Range, ...] = ()
    """Memory, with the gaps in it, that is mapped without readahead if the page cache is cold."""
    neighbourhoods: tuple[Range, ...] = ()
    """Memory whose surroundings the kernel is not to map along with it if the page cache is warm."""
    patched: tuple[Range, ...] = ()
    """Memory that differs from what the segments restore: to be combined, by exclusive or, with the pages of
    `Pages.memory` from `patches` on."""
    patches: int = 0


_Piece = tuple[Segment, dict[int, bytes]]
"""Memory of one kind, and its pages that are not zero."""

_Run = tuple[int, int, _Piece]
"""(start, length in bytes, the piece that it is a part of)."""


def segments_of(regions: Iterable[Region]) -> list[_Piece]:
    """Return the fewest pieces that restore `regions`: neighbours of one kind are merged, long runs of zeros split off.

    A library's constants are mapped with its code, as linkers did for decades: so they are one piece instead of three.
    Writable memory is never merged with other.
    """
    merged: list[_Piece] = []
    for region in sorted(regions, key=lambda region: region.address):
        flags = SEGMENT_WIPE_ON_FORK * region.wipe_on_fork | SEGMENT_NO_RESERVE * region.no_reserve
        offset = region.offset if region.file else 0
        segment = Segment(region.address, region.length, region.protection, flags, offset, region.file)
        if merged and _are_one(last := merged[-1][0], segment):
            both = replace(last, length=last.length + segment.length, protection=last.protection | segment.protection)
            merged[-1] = (both, merged[-1][1] | region.pages)
        else:
            merged.append((segment, region.pages))
    return [
        piece for segment, pages in merged for piece in ([(segment, pages)] if segment.file else _split(segment, pages))
    ]


def _are_one(first: Segment, second: Segment) -> bool:
    if (first.address + first.length, first.flags, first.file) != (second.address, second.flags, second.file):
        return False
    if first.file and first.offset + first.length != second.offset:
        return False
    kinds = first.protection, second.protection
    return first.protection == second.protection or not any(kind & WRITE or not kind for kind in kinds)


def _split(segment: Segment, pages: dict[int, bytes]) -> Iterator[_Piece]:
    end = segment.address + segment.length
    stored: list[list[int]] = []  # stretches: [start, end]
    for address in sorted(pages):
        if stored and address - stored[-1][1] < _SMALLEST_ZERO_RUN * PAGE:
            stored[-1][1] = address + PAGE
        else:
            stored.append([address, address + PAGE])
    if stored and stored[0][0] - segment.address < _SMALLEST_ZERO_RUN * PAGE:
        stored[0][0] = segment.address
    if stored and end - stored[-1][1] < _SMALLEST_ZERO_RUN * PAGE:
        stored[-1][1] = end
    position = segment.address
    for start, stop in stored:
        if start > position:
            yield _zero(segment, position, start), {}
        # Stored memory is small: without MAP_NORESERVE it is of one kind with its neighbours.
        flags = segment.flags & ~SEGMENT_NO_RESERVE
        inside = {address: pages[address] for address in range(start, stop, PAGE) if address in pages}
        yield replace(segment, address=start, length=stop - start, flags=flags), inside
        position = stop
    if position < end:
        yield _zero(segment, position, end), {}


def _zero(segment: Segment, start: int, end: int) -> Segment:
    return replace(segment, address=start, length=end - start, flags=segment.flags | SEGMENT_ZERO)


def _stretches(pieces: Iterable[_Piece]) -> Iterator[list[_Piece]]:
    """Group contiguous stored pieces: one mapping restores all of a group, whatever their protection."""
    together: list[_Piece] = []
    for segment, pages in pieces:
        last = together[-1][0] if together else None
        if last and (last.address + last.length, last.flags) != (segment.address, segment.flags):
            yield together
            together = []
        together.append((segment, pages))
    if together:
        yield together


@dataclass
class Pages:
    """The content of the image's files."""

    memory: bytearray = field(default_factory=bytearray)
    """Memory in the order of its addresses, then patches."""
    readahead_file: bytearray = field(default_factory=bytearray)
    """The pages that cold starts touch: with an empty page cache they read little else."""
    _stored: dict[int, int] = field(default_factory=dict)
    """Address to the offset in `memory` of each page that an earlier variant has there."""

    def place(self, regions: Iterable[Region], touched: Mapping[int, bool], *, patched: bool = False) -> Placed:
        """Store the pages of a variant that are not stored yet.

        Args:
            regions: The variant's memory.
            touched: Address of each page that a cold start touches to whether it is written, in order.
            patched: Store only the difference to earlier variants, which takes time to restore.
        """
        pieces = segments_of(regions)
        begin = len(self.readahead_file)
        needed = _touched_runs(pieces, touched)
        copied = [run for run in needed if _is_copied(run, touched)]
        kinds, encoded_bytes = self._encode(copied)
        packed = tuple(self._pack(run for run in needed if not _is_copied(run, touched)))
        readahead = begin, len(self.readahead_file) - begin
        segments = [segment for segment, _ in pieces if segment.file]
        patches: dict[int, bytes] = {}
        earlier = self._stored
        self._stored = dict(earlier)
        for stretch in _stretches(piece for piece in pieces if not piece[0].flags & SEGMENT_ZERO and not piece[0].file):
            segments += self._place_stretch(stretch, earlier, patches if patched else None)
        segments += [segment for segment, _ in pieces if segment.flags & SEGMENT_ZERO]
        start = len(self.memory)
        for address in sorted(patches):
            self.memory += patches[address]
        return Placed(
            segments=tuple(segments),
            readahead=readahead,
            encoded=tuple((start, length) for start, length, _ in copied),
            encoded_bytes=encoded_bytes,
            kinds=kinds,
            packed=packed,
            sample=next((self._stored[page] for page in reversed(touched) if page in self._stored), None),
            populate=tuple(run for segment, _ in pieces for run in _populated(segment, touched)),
            rarely_used=tuple(_rarely_used(pieces)) if touched else (),
            neighbourhoods=tuple(_neighbourhoods([segment for segment, _ in pieces], touched)),
            patched=tuple(runs(patches, gap=0)),
            patches=start,
        )

    def _encode(self, touched: Sequence[_Run]) -> tuple[tuple[Kind, ...], int]:
        """Store runs in few bytes; return the kinds of their words, and the number of bytes."""
        pages = [page for run in touched for page in _pages_of(run)]
        if not pages:
            return (), 0
        kinds = choose_kinds(pages)
        encoded = encode(pages, kinds) + bytes(ENCODED_PAGE_MARGIN)
        self.readahead_file += encoded + bytes(-len(encoded) % PAGE)
        return kinds, len(encoded)

    def _pack(self, touched: Iterable[_Run]) -> Iterator[Segment]:
        """Store runs as they are; yield the segments that map them."""
        for run in touched:
            start, length, (segment, _) = run
            yield replace(segment, address=start, length=length, offset=len(self.readahead_file), file="")
            for page in _pages_of(run):
                self.readahead_file += page

    def _place_stretch(
        self, pieces: Sequence[_Piece], earlier: Mapping[int, int], patches: dict[int, bytes] | None
    ) -> Iterator[Segment]:
        """Store contiguous pieces, without what an earlier variant has at the same addresses."""
        usual = Counter(segment.protection for segment, _ in pieces).most_common(1)[0][0]
        for start, length, offset in self._shared_runs(pieces, earlier, patches):
            place = len(self.memory) if offset is None else offset
            for address, page, _ in _pages(pieces, start, length):
                at = place + address - start
                if offset is None:
                    self._stored[address] = at
                    self.memory += page
                elif patches is not None and page != self.memory[at : at + PAGE]:
                    patches[address] = _difference(page, self.memory[at : at + PAGE])
            yield Segment(start, length, usual, pieces[0][0].flags, place)
        for segment, _ in pieces:
            if segment.protection != usual:
                yield replace(segment, flags=segment.flags | SEGMENT_PROTECT)

    def _shared_runs(
        self, pieces: Sequence[_Piece], earlier: Mapping[int, int], patches: dict[int, bytes] | None
    ) -> list[tuple[int, int, int | None]]:
        """Return (address, length, offset of the stored pages or None if they are to be stored)."""
        page_runs: list[tuple[int, int, int | None]] = []
        first, end = pieces[0][0].address, pieces[-1][0].address + pieces[-1][0].length
        for address, page, is_writable in _pages(pieces, first, end - first):
            offset = earlier.get(address)
            can_differ = patches is not None and is_writable
            if offset is not None and not can_differ and page != self.memory[offset : offset + PAGE]:
                offset = None
            start, length, last = page_runs[-1] if page_runs else (0, 0, None)
            is_next = page_runs and (offset is None) == (last is None)
            if is_next and (offset is None or last is None or last + length == offset):
                page_runs[-1] = (start, length + PAGE, last)
            else:
                page_runs.append((address, PAGE, offset))
        shared_runs: list[tuple[int, int, int | None]] = []
        for start, length, offset in page_runs:
            place = offset if length >= _SHORTEST_SHARED_RUN * PAGE else None
            if place is None and shared_runs and shared_runs[-1][2] is None:
                shared_runs[-1] = (shared_runs[-1][0], shared_runs[-1][1] + length, None)
            else:
                shared_runs.append((start, length, place))
        return shared_runs


def _touched_runs(pieces: Iterable[_Piece], touched: Mapping[int, bool]) -> list[_Run]:
    """Return runs of touched pages, in the order in which they are needed."""
    order = {page: index for index, page in enumerate(touched)}
    runs_by_order = [
        (min(order[page] for page in range(start, start + length, PAGE) if page in order), start, length, piece)
        for piece in pieces
        if not piece[0].flags & (SEGMENT_ZERO | SEGMENT_WIPE_ON_FORK)
        for start, length in runs(_inside(piece[0], touched), gap=_GAP)
    ]
    return [(start, length, piece) for _, start, length, piece in sorted(runs_by_order, key=lambda run: run[0])]


def _is_copied(run: _Run, touched: Mapping[int, bool]) -> bool:
    start, length, (segment, _) = run
    written = sum(touched.get(page, False) for page in range(start, start + length, PAGE))
    # The launcher copies only into memory of this protection; code that was generated at run time is executable, too.
    return segment.protection == READ | WRITE and length // PAGE <= max(_FEW_PAGES, _FEW_WRITTEN * written)


def _pages_of(run: _Run) -> Iterator[bytes]:
    start, length, (_, pages) = run
    return (pages.get(address, _ZEROS) for address in range(start, start + length, PAGE))


def _pages(pieces: Iterable[_Piece], start: int, length: int) -> Iterator[tuple[int, bytes, bool]]:
    """Yield address, content and writability of the pages of a part of `pieces`."""
    for segment, pages in pieces:
        first, end = max(segment.address, start), min(segment.address + segment.length, start + length)
        for address in range(first, end, PAGE):
            yield address, pages.get(address, _ZEROS), bool(segment.protection & WRITE)


def _difference(page: bytes, other: bytearray) -> bytes:
    return (int.from_bytes(page, "little") ^ int.from_bytes(other, "little")).to_bytes(PAGE, "little")


def _inside(segment: Segment, pages: Iterable[int]) -> Iterator[int]:
    return (page for page in pages if segment.address <= page < segment.address + segment.length)


def _populated(segment: Segment, touched: Mapping[int, bool]) -> list[Range]:
    return runs((page for page in _inside(segment, touched) if touched[page]), gap=_POPULATE_GAP)


def _rarely_used(pieces: Iterable[_Piece]) -> list[Range]:
    stored = (segment for segment, _ in pieces if not segment.flags & SEGMENT_ZERO)
    return runs((page for s in stored for page in range(s.address, s.address + s.length, PAGE)), gap=_FAR)


def _neighbourhoods(segments: Iterable[Segment], touched: Mapping[int, bool]) -> list[Range]:
    code = [list(_inside(segment, touched)) for segment in segments if segment.protection & EXECUTE]
    gap = _NEIGHBOURHOOD
    while len(ranges := [run for pages in code for run in runs(pages, gap=gap)]) > _MOST_NEIGHBOURHOODS and gap < _FAR:
        gap *= 2
    return ranges
