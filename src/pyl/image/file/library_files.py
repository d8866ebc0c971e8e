"""Finds the memory of a snapshot that files of the package contain anyway, so that it is not stored twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from pyl.image.snapshot import WRITE, Region
from pyl.lambda_environment import PAGE

_FEWEST_PAGES = 128
"""Of one library, all together: opening one more file at each cold start costs more than a smaller one is worth."""

_SHORTEST_RUN = 64
"""Pages. A mapping costs more than fewer are worth."""


def mapped_from_files(regions: Sequence[Region], package: Path, task_root: str) -> tuple[Region, ...]:
    """Return the same memory, with `file` set on regions, or parts of them, that equal a file of the package.

    Args:
        regions: The memory of a snapshot.
        package: The folder that the snapshot's process saw as `task_root`.
        task_root: Folder of the package in Lambda.
    """
    parts = [part for region in regions for part in _parts(region, package, task_root)]
    pages: defaultdict[str, int] = defaultdict(int)
    for part in parts:
        pages[part.file] += part.length // PAGE
    return tuple(part if pages[part.file] >= _FEWEST_PAGES else replace(part, file="") for part in parts)


def _parts(region: Region, package: Path, task_root: str) -> Iterator[Region]:
    _, is_in_package, inside = region.name.rpartition(f"{task_root}/")
    file = package / inside
    if not is_in_package or region.protection & WRITE or not file.is_file():
        yield region
        return
    start = region.address
    with file.open("rb") as opened:
        opened.seek(region.offset)
        content = opened.read(region.length)
    for length, is_equal in _runs(region, content):
        yield replace(
            region,
            address=start,
            length=length,
            offset=region.offset + start - region.address,
            file=inside if is_equal else "",
            pages={address: page for address, page in region.pages.items() if start <= address < start + length},
        )
        start += length


def _runs(region: Region, content: bytes) -> Iterable[tuple[int, bool]]:
    """Return (length, is equal to `content`) of runs; those too short for a mapping of their own count as unequal."""
    lengths: list[tuple[int, bool]] = []
    for address in range(region.address, region.address + region.length, PAGE):
        at = address - region.address
        page = content[at : at + PAGE]
        # A page beyond the file's end cannot be read at all.
        is_equal = bool(page) and page.ljust(PAGE, b"\0") == region.pages.get(address, bytes(PAGE))
        if lengths and lengths[-1][1] == is_equal:
            lengths[-1] = (lengths[-1][0] + PAGE, is_equal)
        else:
            lengths.append((PAGE, is_equal))
    merged: list[tuple[int, bool]] = []
    for length, is_equal in lengths:
        is_worth = is_equal and length >= _SHORTEST_RUN * PAGE
        if merged and merged[-1][1] == is_worth:
            merged[-1] = (merged[-1][0] + length, is_worth)
        else:
            merged.append((length, is_worth))
    return merged
