"""Where the mappings of a captured program go: dense, far from what any kernel chooses, different in each build."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from pyl.lambda_environment import PAGE

_LOWEST = 0x1800_0000_0000
_RANDOM_PAGES = 1 << 28
STACK_BYTES = 8 << 20


class Zone:
    """Hands out address space first-fit, so that what is mapped together lies together."""

    def __init__(self, start: int) -> None:
        self._start = start
        self._used: list[tuple[int, int]] = []  # (start, end), ordered, apart from each other

    def allocate(self, size: int, *, alignment: int = PAGE) -> int:
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
        """Give back a stretch, which may cut or span several."""
        end = address + -(-size // PAGE) * PAGE
        left: list[tuple[int, int]] = []
        for low, high in self._used:
            if high <= address or low >= end:
                left.append((low, high))
                continue
            if low < address:
                left.append((low, address))
            if high > end:
                left.append((end, high))
        self._used = left

    def _insert(self, index: int, start: int, size: int) -> None:
        self._used.insert(index, (start, start + size))
        if index + 1 < len(self._used) and self._used[index + 1][0] == start + size:
            self._used[index : index + 2] = [(start, self._used[index + 1][1])]
        if index and self._used[index - 1][1] == start:
            self._used[index - 1 : index + 1] = [(self._used[index - 1][0], self._used[index][1])]


def random_address() -> int:
    """Where the memory of a build's captures begins."""
    base = _LOWEST + secrets.randbelow(_RANDOM_PAGES) * PAGE
    return base - base % (1 << 21)  # one page table for 2 MB: begin with a whole one


class Layout:
    """The address space of one capture. Captures of one build begin at one address, so they have pages in common."""

    def __init__(self, base: int) -> None:
        self.stack = base
        self.loader = base + STACK_BYTES + (1 << 20)
        self.files = Zone(self.loader + (1 << 20))
        self.anonymous = Zone(base + (1 << 34))


def runs(pages: Iterable[int], *, gap: int) -> list[tuple[int, int]]:
    """(start, length) of stretches of pages; those at most `gap` pages apart become one."""
    found: list[tuple[int, int]] = []
    for page in sorted(pages):
        if found and page - sum(found[-1]) <= gap * PAGE:
            found[-1] = (found[-1][0], page + PAGE - found[-1][0])
        else:
            found.append((page, PAGE))
    return found
