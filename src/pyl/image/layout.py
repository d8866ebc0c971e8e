"""Decides where the pages of an image lie in its file, and how few mappings bring them back.

What a cold start touches is stored together at the front, in the order in which it is needed: it is read from the
disk in one go, and mapped over its segment in runs. Its place within the segment is left blank, so that the
segment is one mapping. What is left of the segment is needed now and then, a page here and a page there, so the kernel
shall read no neighbours of it.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pyl.image.addresses import PAGE, runs
from pyl.image.snapshot import WRITE, Region

SEGMENT_ZERO, SEGMENT_WIPE_ON_FORK, SEGMENT_NO_RESERVE, SEGMENT_OVER, SEGMENT_RANDOM = 1, 2, 4, 8, 16

_SMALLEST_ZERO_RUN = 64
"""Pages. Shorter runs of zero pages are stored: a mapping costs more than the few bytes that they deflate to."""

_IN_VAIN = 0.5
"""Pages read in vain for each touched one, at most. Fewer runs are fewer mappings at each cold start, and more to read
where the page cache is empty: a share, so that what is read stays in proportion to what is needed."""

_LARGEST_GAP = 16
"""Pages, between runs that may become one."""

_POPULATE_GAP = 1
"""Pages. A request to the kernel costs more than a page that is copied in vain."""

_SHORTEST_SHARED_RUN = 16
"""Pages. Sharing fewer with an earlier variant costs more mappings than the bytes are worth."""

_ZEROS = bytes(PAGE)


@dataclass(frozen=True)
class Segment:
    address: int
    length: int
    protection: int
    flags: int
    offset: int = 0
    """Among the stored pages, or in `file`; 0 for zeros."""
    file: str = ""
    """Path in the package of the file that it is mapped from; empty for the image itself."""


@dataclass(frozen=True)
class Placed:
    """How one variant lies in the file. Offsets count from the first stored page."""

    segments: tuple[Segment, ...]
    """In the order in which they are mapped."""
    read_ahead: tuple[int, int] = (0, 0)
    """(start, length) in the file of what a cold start touches."""
    populate: tuple[tuple[int, int], ...] = ()
    """(start, length) in memory of what a cold start writes."""


def segments_of(regions: Iterable[Region]) -> list[tuple[Segment, dict[int, bytes]]]:
    """Fewest mappings that bring `regions` back: neighbours of one kind merged, long runs of zeros apart.

    A library's constants are mapped with its code, as linkers did for decades: together they are one mapping instead of
    three, and no memory is both writable and executable.
    """
    merged: list[tuple[Segment, dict[int, bytes]]] = []
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


def _hot_runs(segments: Sequence[Segment], touched: Iterable[int]) -> list[list[tuple[int, int]]]:
    """For each segment the runs, (start, length), to read at a cold start: as few as `_IN_VAIN` allows."""
    pages = sorted(touched)
    inside = [
        pages[bisect_left(pages, segment.address) : bisect_left(pages, segment.address + segment.length)]
        for segment in segments
    ]
    needed = PAGE * sum(map(len, inside))
    choices = (
        [_joined(segment, own, gap) for segment, own in zip(segments, inside, strict=True)]
        for gap in range(_LARGEST_GAP, -1, -1)  # the last one reads nothing in vain
    )
    return next(
        found for found in choices if sum(length for joined in found for _, length in joined) <= needed * (1 + _IN_VAIN)
    )


def _joined(segment: Segment, touched: Iterable[int], gap: int) -> list[tuple[int, int]]:
    """Runs of touched pages at most `gap` apart; the whole segment, where a mapping spared takes no more than that."""
    found = runs(touched, gap=gap)
    rest = segment.length - sum(length for _, length in found)
    return [(segment.address, segment.length)] if rest <= len(found) * gap * PAGE else found


@dataclass
class Pages:
    """The stored pages; offsets count from the first of them."""

    shared: bool = True
    """Whether pages of one variant are looked for in the next."""
    content: bytearray = field(default_factory=bytearray)
    _places: dict[tuple[int, bytes], int] = field(default_factory=dict)
    _hot_bytes: int = 0

    def place(self, regions: Iterable[Region], touched: Mapping[int, bool]) -> Placed:
        """Store what is not stored yet of a variant. `touched` tells, in order, which pages a cold start touches, by
        address, and whether it writes them."""
        pieces = segments_of(regions)
        start = len(self.content)
        hot = self._store_hot(pieces, touched)
        self._hot_bytes = max(self._hot_bytes, len(self.content))
        segments: list[Segment] = []
        for segment, pages in pieces:
            over = [run for run in hot if segment.address <= run.address < segment.address + segment.length]
            if segment.flags & SEGMENT_ZERO:
                segments.append(segment)
            elif not over or over[0].length < segment.length:
                rest = replace(segment, flags=segment.flags | SEGMENT_RANDOM * bool(hot))
                segments += [rest] if segment.file else self._store(rest, pages, blank=over)
        written = (page for page, is_written in touched.items() if is_written)
        return Placed(
            (*segments, *hot),
            (start, sum(run.length for run in hot)),
            tuple(runs(written, gap=_POPULATE_GAP)),
        )

    def _store_hot(self, pieces: list[tuple[Segment, dict[int, bytes]]], touched: Mapping[int, bool]) -> list[Segment]:
        """The runs of touched pages: first what is written, and so needed at once, then as it is needed."""
        order = {page: (not written, index) for index, (page, written) in enumerate(touched.items())}
        storable = [piece for piece in pieces if not piece[0].flags & (SEGMENT_ZERO | SEGMENT_WIPE_ON_FORK)]
        hot_runs = _hot_runs([segment for segment, _ in storable], touched)
        found = [
            (
                min(order[page] for page in range(start, start + length, PAGE) if page in order),
                start,
                length,
                segment,
                pages,
            )
            for (segment, pages), together in zip(storable, hot_runs, strict=True)
            for start, length in together
        ]
        return [
            replace(
                segment,
                address=start,
                length=length,
                flags=segment.flags | SEGMENT_OVER,
                offset=self._append(start, length, pages),
                file="",
            )
            for _, start, length, segment, pages in sorted(found, key=lambda run: run[:3])
        ]

    def _store(self, segment: Segment, pages: dict[int, bytes], *, blank: list[Segment]) -> list[Segment]:
        """Store a segment, but for what is `blank`; runs that an earlier variant stored for the same addresses are
        used again."""
        over = {page for run in blank for page in range(run.address, run.address + run.length, PAGE)}
        stretches: list[Segment] = []
        for start, length, offset in self._runs(segment, pages, over):
            place = self._append(start, length, pages, over) if offset is None else offset
            last = stretches[-1] if stretches else None
            if last and last.offset + last.length == place:
                stretches[-1] = replace(last, length=last.length + length)
            else:
                stretches.append(replace(segment, address=start, length=length, offset=place))
        return stretches

    def _runs(self, segment: Segment, pages: dict[int, bytes], over: set[int]) -> list[tuple[int, int, int | None]]:
        """(address, length, offset of the stored pages or None when they are to be stored)."""
        found: list[tuple[int, int, int | None]] = []
        for address in range(segment.address, segment.address + segment.length, PAGE):
            offset = self._places.get(self._key(address, pages)) if self._places and address not in over else None
            start, length, first = found[-1] if found else (0, 0, None)
            follows = found and (offset is None) == (first is None)
            if follows and (offset is None or first is None or first + length == offset):
                found[-1] = (start, length + PAGE, first)
            else:
                found.append((address, PAGE, offset))
        return [
            (start, length, offset if self._is_worth_sharing(length, offset) else None)
            for start, length, offset in found
        ]

    def _is_worth_sharing(self, length: int, offset: int | None) -> bool:
        return offset is not None and (length >= _SHORTEST_SHARED_RUN * PAGE or offset < self._hot_bytes)

    def _append(self, start: int, length: int, pages: dict[int, bytes], over: Iterable[int] = ()) -> int:
        place = len(self.content)
        for address in range(start, start + length, PAGE):
            if address in over:
                self.content += _ZEROS
                continue
            if self.shared:
                self._places.setdefault(self._key(address, pages), len(self.content))
            self.content += pages.get(address, _ZEROS)
        return place

    def _key(self, address: int, pages: dict[int, bytes]) -> tuple[int, bytes]:
        return address, hashlib.blake2b(pages.get(address, _ZEROS), digest_size=16).digest()
