"""What becomes of a captured program's small objects: the capture's side of runtime/c/heap.c.

What a cold start uses shall lie together. Which objects that are, runs of the same program tell: one in which each
object is recorded under a key, and one in which those that lie on pages that a cold start touches stand on pages of
their own.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pyl.image.arch.x86_64.ptrace import Memory
from pyl.lambda_environment import PAGE

RECORDED, APART, TOGETHER = 0, 1, 2
"""Objects lie where they come, and are recorded; those with the keys lie on pages of their own, and are recorded;
those with the keys lie together."""

_PLACEMENT = struct.Struct("<2Q")
_BLOCKS = struct.Struct("<3Q")
_GRAIN = 16
_KEY = 8


@dataclass
class Placement:
    """What is asked of one run, and what it told."""

    mode: int = TOGETHER
    keys: Sequence[int] = ()
    _blocks: dict[int, bytes] = field(default_factory=dict, repr=False)
    """Address of each page of the heap to the keys of its grains."""

    def packed(self) -> bytes:
        """A `struct pyl_placement`."""
        return _PLACEMENT.pack(self.mode, len(self.keys))

    def packed_keys(self) -> bytes:
        return struct.pack(f"<{len(self.keys)}Q", *self.keys)

    def record(self, memory: Memory, blocks: int) -> None:
        """Keep the keys that the `struct pyl_blocks` at address `blocks` tells of."""
        address, length, keys = _BLOCKS.unpack(memory.read(blocks, _BLOCKS.size))
        per_page = PAGE // _GRAIN * _KEY
        pages = -(-length // PAGE)
        recorded = memory.read(keys, pages * per_page)
        for page in range(pages):
            self._blocks[address + page * PAGE] = recorded[page * per_page : (page + 1) * per_page]

    def keys_on(self, pages: Iterable[int]) -> list[int]:
        """The keys of the objects on `pages`."""
        found: set[int] = set()
        for page in pages:
            content = self._blocks.get(page, b"")
            found.update(struct.unpack(f"<{len(content) // _KEY}Q", content))
        return sorted(found - {0})
