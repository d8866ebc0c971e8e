"""Compares the snapshots of two worlds: what differs is what an image would keep of one instance."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pyl.image.snapshot import Region, Snapshot
from pyl.lambda_environment import PAGE

_WORD = 8
_ZEROS = bytes(PAGE)


@dataclass(frozen=True)
class Difference:
    """A run of neighbouring words that the two worlds have otherwise.

    Attributes:
        address: Of the first word.
        content: The bytes in the first world.
        other: The bytes in the other world.
        file: Name of the mapped file whose data it is; empty for other memory.
    """

    address: int
    content: bytes
    other: bytes
    file: str


def compare(first: Snapshot, other: Snapshot, *, ignored: Iterable[tuple[int, int]]) -> tuple[Difference, ...] | None:
    """Return the differences, by address.

    Args:
        first: The snapshot of one world.
        other: That of the other world.
        ignored: Start and end of memory that a restored process does not use.

    Returns:
        None if the two do not have the same mappings.
    """
    others = {region.address: region for region in other.regions}
    if [(region.address, region.length) for region in first.regions] != [
        (region.address, region.length) for region in other.regions
    ]:
        return None
    ranges = tuple(ignored)
    return tuple(
        difference
        for region in first.regions
        for difference in _differences(region, others[region.address])
        if not any(start <= difference.address < end for start, end in ranges)
    )


def _differences(region: Region, other: Region) -> Iterator[Difference]:
    file = region.name.rpartition("/")[2]
    for page in sorted(region.pages.keys() | other.pages.keys()):
        content, other_content = region.pages.get(page, _ZEROS), other.pages.get(page, _ZEROS)
        if content != other_content:
            yield from _runs(page, content, other_content, file)


def _runs(page: int, content: bytes, other: bytes, file: str) -> Iterator[Difference]:
    words = zip(struct.unpack(f"<{PAGE // _WORD}Q", content), struct.unpack(f"<{PAGE // _WORD}Q", other), strict=True)
    start = None
    for index, (word, other_word) in enumerate((*words, (0, 0))):
        if word != other_word and start is None:
            start = index * _WORD
        elif word == other_word and start is not None:
            end = index * _WORD
            yield Difference(page + start, content[start:end], other[start:end], file)
            start = None
