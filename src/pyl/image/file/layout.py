"""Decides where the pages of an image lie in its files, and how few mappings bring them back.

Memory lies in one file as it lies in the address space, so that few mappings bring it back: what it takes where the
page cache is warm. What a cold start touches stands in another one, too, in the order in which it is needed: where
the page cache is cold that one is read from the disk, ahead of its use. What is written has to be copied anyway, so it
is encoded in fewer bytes; the rest is mapped over its place in runs.
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
"""Pages that are read in vain rather than that a run ends: a mapping costs more than reading as many."""

_FEW_PAGES, _FEW_WRITTEN = 16, 4
"""A run of more pages is mapped rather than copied, unless one of so many of them is written."""

_POPULATE_GAP = 1
"""Pages. A request to the kernel costs more than a page that is copied in vain."""

_NEIGHBOURHOOD, _MOST_NEIGHBOURHOODS = 16, 32
"""Pages, at least, between neighbourhoods, and how many there are. The kernel maps what the page cache holds around a
page that is read, some 64 kB, or what it holds in one piece. That makes the process larger; each border takes time."""

_FAR = (1 << 30) // PAGE
"""Pages. What lies nearer to each other is in one part of the address space."""

_SHORTEST_SHARED_RUN = 16
"""Pages. Sharing fewer with an earlier variant costs more mappings than the bytes are worth."""

_ZEROS = bytes(PAGE)

Range = tuple[int, int]
"""(start, length) of memory, in bytes."""


@dataclass(frozen=True)
class Segment:
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
    """The part of `Pages.readahead_file` that is read where the page cache is cold: the encoded and the packed."""
    encoded: tuple[Range, ...] = ()
    """Memory that a cold start writes, to be decoded over `segments` where the page cache is cold. Page by page it
    stands at the beginning of its part, with a margin behind it."""
    encoded_bytes: int = 0
    """With the margin."""
    kinds: tuple[Kind, ...] = ()
    """Of the encoded words."""
    packed: tuple[Segment, ...] = ()
    """Other memory that a cold start touches, to be mapped over `segments` where the page cache is cold. Offsets are
    those in `Pages.readahead_file`."""
    sample: int | None = None
    """Offset in `Pages.memory` of a page that a cold start touches: if the page cache holds it, it is warm."""
    populate: tuple[Range, ...] = ()
    """What a cold start writes, and gets copies of at once."""
    rarely_used: tuple[Range, ...] = ()
    """Of this, with what is not mapped between, nothing is read in passing where the page cache is cold."""
    neighbourhoods: tuple[Range, ...] = ()
    """What is set apart where it is warm, so that the kernel does not map with it all that lies around."""
    patched: tuple[Range, ...] = ()
    """What differs from the memory that the segments bring back: to be combined, by exclusive or, with the pages of
    `Pages.memory` from `patches` on."""
    patches: int = 0


_Piece = tuple[Segment, dict[int, bytes]]
"""A stretch of memory of one kind, and the pages of it that are not zero."""

_Run = tuple[int, int, _Piece]
"""(start, length in bytes, the piece that it is a part of)."""


def segments_of(regions: Iterable[Region]) -> list[_Piece]:
    """Fewest pieces that bring `regions` back: neighbours of one kind merged, long runs of zeros apart.

    A library's constants are mapped with its code, as linkers did for decades: together they are one piece instead of
    three. What can be written stays apart.
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
        # What is stored is little: it need not be promised twice, and so is of one kind with its neighbours.
        flags = segment.flags & ~SEGMENT_NO_RESERVE
        inside = {address: pages[address] for address in range(start, stop, PAGE) if address in pages}
        yield replace(segment, address=start, length=stop - start, flags=flags), inside
        position = stop
    if position < end:
        yield _zero(segment, position, end), {}


def _zero(segment: Segment, start: int, end: int) -> Segment:
    return replace(segment, address=start, length=end - start, flags=segment.flags | SEGMENT_ZERO)


def _stretches(pieces: Iterable[_Piece]) -> Iterator[list[_Piece]]:
    """Stored pieces that lie one behind the other: one mapping brings all of them back, whatever their protection."""
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
    """What is stored."""

    memory: bytearray = field(default_factory=bytearray)
    """As it lies in the address space, then patches."""
    readahead_file: bytearray = field(default_factory=bytearray)
    """What cold starts touch, once more: with an empty page cache they read this, and hardly anything else."""
    _stored: dict[int, int] = field(default_factory=dict)
    """Address to the offset of each page that an earlier variant has in its place."""

    def place(self, regions: Iterable[Region], touched: Mapping[int, bool], *, patched: bool = False) -> Placed:
        """Store what is not stored yet of a variant.

        `touched` tells, in order, which pages a cold start touches, by address, and whether it writes them. Of a
        `patched` variant only the difference to earlier ones is stored, which takes time to bring back.
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
        before = self._stored
        self._stored = dict(before)
        for stretch in _stretches(piece for piece in pieces if not piece[0].flags & SEGMENT_ZERO and not piece[0].file):
            segments += self._place_stretch(stretch, before, patches if patched else None)
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
        """Store runs in few bytes: the kinds of their words, and how many bytes there are."""
        pages = [page for run in touched for page in _pages_of(run)]
        if not pages:
            return (), 0
        kinds = choose_kinds(pages)
        encoded = encode(pages, kinds) + bytes(ENCODED_PAGE_MARGIN)
        self.readahead_file += encoded + bytes(-len(encoded) % PAGE)
        return kinds, len(encoded)

    def _pack(self, touched: Iterable[_Run]) -> Iterator[Segment]:
        """Store runs as they are."""
        for run in touched:
            start, length, (segment, _) = run
            yield replace(segment, address=start, length=length, offset=len(self.readahead_file), file="")
            for page in _pages_of(run):
                self.readahead_file += page

    def _place_stretch(
        self, pieces: Sequence[_Piece], before: Mapping[int, int], patches: dict[int, bytes] | None
    ) -> Iterator[Segment]:
        """Store pieces that one mapping brings back, but for what an earlier variant has at the same place."""
        usual = Counter(segment.protection for segment, _ in pieces).most_common(1)[0][0]
        for start, length, offset in self._shared_runs(pieces, before, patches):
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
        self, pieces: Sequence[_Piece], before: Mapping[int, int], patches: dict[int, bytes] | None
    ) -> list[tuple[int, int, int | None]]:
        """(address, length, offset of the stored pages or None when they are to be stored)."""
        found: list[tuple[int, int, int | None]] = []
        first, end = pieces[0][0].address, pieces[-1][0].address + pieces[-1][0].length
        for address, page, is_writable in _pages(pieces, first, end - first):
            offset = before.get(address)
            can_differ = patches is not None and is_writable
            if offset is not None and not can_differ and page != self.memory[offset : offset + PAGE]:
                offset = None
            start, length, last = found[-1] if found else (0, 0, None)
            follows = found and (offset is None) == (last is None)
            if follows and (offset is None or last is None or last + length == offset):
                found[-1] = (start, length + PAGE, last)
            else:
                found.append((address, PAGE, offset))
        joined: list[tuple[int, int, int | None]] = []
        for start, length, offset in found:
            place = offset if length >= _SHORTEST_SHARED_RUN * PAGE else None
            if place is None and joined and joined[-1][2] is None:
                joined[-1] = (joined[-1][0], joined[-1][1] + length, None)
            else:
                joined.append((start, length, place))
        return joined


def _touched_runs(pieces: Iterable[_Piece], touched: Mapping[int, bool]) -> list[_Run]:
    """Runs of touched pages, in the order in which they are needed."""
    order = {page: index for index, page in enumerate(touched)}
    found = [
        (min(order[page] for page in range(start, start + length, PAGE) if page in order), start, length, piece)
        for piece in pieces
        if not piece[0].flags & (SEGMENT_ZERO | SEGMENT_WIPE_ON_FORK)
        for start, length in runs(_inside(piece[0], touched), gap=_GAP)
    ]
    return [(start, length, piece) for _, start, length, piece in sorted(found, key=lambda run: run[0])]


def _is_copied(run: _Run, touched: Mapping[int, bool]) -> bool:
    start, length, (segment, _) = run
    written = sum(touched.get(page, False) for page in range(start, start + length, PAGE))
    # The launcher copies into memory of this one kind; what C code generates, for callbacks, can be run, too.
    return segment.protection == READ | WRITE and length // PAGE <= max(_FEW_PAGES, _FEW_WRITTEN * written)


def _pages_of(run: _Run) -> Iterator[bytes]:
    start, length, (_, pages) = run
    return (pages.get(address, _ZEROS) for address in range(start, start + length, PAGE))


def _pages(pieces: Iterable[_Piece], start: int, length: int) -> Iterator[tuple[int, bytes, bool]]:
    """Address and content of the pages of a part of `pieces`; can they be written?"""
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
    while len(found := [run for pages in code for run in runs(pages, gap=gap)]) > _MOST_NEIGHBOURHOODS and gap < _FAR:
        gap *= 2
    return found
