"""Where a captured program's small objects go: the capture's side of runtime/c/heap.c.

What a cold start uses is to lie together. Earlier runs of the same program show which objects that are: one in which
each object is recorded under a key, and one in which the objects on pages that a cold start touches are on pages of
their own.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pyl.image.capture.protocol import BLOCKS, GRAIN, PLACEMENT, PlacementMode
from pyl.image.ptrace import Memory
from pyl.lambda_environment import PAGE

_KEY_BYTES = 8


@dataclass
class Placement:
    """Placement mode and keys for one capture run, and the allocations that it recorded."""

    mode: PlacementMode = PlacementMode.COMPACT
    keys: Sequence[int] = ()
    _keys_by_page: dict[int, bytes] = field(default_factory=dict, repr=False)
    """Address of each page of the heap to the keys of its grains."""

    def packed(self) -> bytes:
        """Return a `struct pyl_placement`."""
        return PLACEMENT.pack(mode=self.mode, key_count=len(self.keys))

    def packed_keys(self) -> bytes:
        """Return the keys, 8 bytes each."""
        return struct.pack(f"<{len(self.keys)}Q", *self.keys)

    def record(self, memory: Memory, address: int) -> None:
        """Keep the keys of the `struct pyl_blocks` at `address`."""
        blocks = BLOCKS.unpack_from(memory.read(address, BLOCKS.size))
        start, length, keys = blocks["address"], blocks["bytes"], blocks["keys"]
        keys_per_page = PAGE // GRAIN * _KEY_BYTES
        page_count = -(-length // PAGE)
        recorded = memory.read(keys, page_count * keys_per_page)
        for page in range(page_count):
            content = recorded[page * keys_per_page : (page + 1) * keys_per_page]
            self._keys_by_page[start + page * PAGE] = content

    def keys_on(self, pages: Iterable[int]) -> list[int]:
        """Return the keys of the objects on `pages`, given by address."""
        keys: set[int] = set()
        for page in pages:
            content = self._keys_by_page.get(page, b"")
            keys.update(struct.unpack(f"<{len(content) // _KEY_BYTES}Q", content))
        return sorted(keys - {0})
