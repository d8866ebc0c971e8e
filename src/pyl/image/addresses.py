"""Chooses the addresses of a captured program: dense, far from those that a kernel chooses, different in each build."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from pyl.lambda_environment import PAGE

_RANDOM_PAGES = 1 << 28
STACK_BYTES = 8 << 20


class Zone:
    """Hands out address space first-fit, so that what is mapped in turn is contiguous."""

    def __init__(self, start: int) -> None:
        self._start = start
        self._used: list[tuple[int, int]] = []  # (start, end), ordered, apart from each other

    def allocate(self, size: int, *, alignment: int = PAGE) -> int:
        """Return the lowest free address for `size` bytes, which are then used."""
        size = -(-size // PAGE) * PAGE
        candidate = self._start
        for index, (start, end) in enumerate(self._used):
            if candidate + size <= start:
                self._insert(index, candidate, size)
                return candidate
            candidate = max(candidate, -(-end // alignment) * alignment)
        self._insert(len(self._used), candidate, size)
        return candidate

    def release(self, address: int, size: int) -> None:
        """Free `size` bytes, which may be parts of several allocations."""
        end = address + -(-size // PAGE) * PAGE
        kept: list[tuple[int, int]] = []
        for low, high in self._used:
            if high <= address or low >= end:
                kept.append((low, high))
                continue
            if low < address:
                kept.append((low, address))
            if high > end:
                kept.append((end, high))
        self._used = kept

    def _insert(self, index: int, start: int, size: int) -> None:
        self._used.insert(index, (start, start + size))
        if index + 1 < len(self._used) and self._used[index + 1][0] == start + size:
            self._used[index : index + 2] = [(start, self._used[index + 1][1])]
        if index and self._used[index - 1][1] == start:
            self._used[index - 1 : index + 1] = [(self._used[index - 1][0], self._used[index][1])]


def random_address(lowest: int) -> int:
    """Return where the memory of a build's captures begins: at most 1 TB above `lowest`."""
    base = lowest + secrets.randbelow(_RANDOM_PAGES) * PAGE
    return base - base % (1 << 21)  # one page table for 2 MB: begin with a whole one


class Layout:
    """The address space of one capture. Captures of one build begin at one address, so they have pages in common."""

    def __init__(self, base: int) -> None:
        self.stack = base
        self.loader = base + STACK_BYTES + (1 << 20)
        self.files = Zone(self.loader + (1 << 20))
        self.anonymous = Zone(base + (1 << 34))


def runs(pages: Iterable[int], *, gap: int) -> list[tuple[int, int]]:
    """Return (start, length) of runs of pages; runs at most `gap` pages apart become one."""
    ranges: list[tuple[int, int]] = []
    for page in sorted(pages):
        if ranges and page - sum(ranges[-1]) <= gap * PAGE:
            ranges[-1] = (ranges[-1][0], page + PAGE - ranges[-1][0])
        else:
            ranges.append((page, PAGE))
    return ranges
