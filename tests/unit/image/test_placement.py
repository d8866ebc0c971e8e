"""Which objects lie on a page is told by the keys that the captured program recorded."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator

import pytest

from pyl.image.capture.placement import Placement
from pyl.image.capture.protocol import PlacementMode
from pyl.image.ptrace import Memory
from pyl.lambda_environment import PAGE

HEAP = 0x1800_0000_0000
"""Where the heap is said to be; only its keys are read."""


@pytest.fixture
def memory() -> Iterator[Memory]:
    """This process's own, which reads like that of a traced one."""
    memory = Memory(os.getpid())
    yield memory
    memory.close()


def told(keys: dict[int, int], pages: int, memory: Memory) -> Placement:
    """A placement that was told of `keys`, by the number of the 16 bytes that each block begins at."""
    import ctypes

    table = (ctypes.c_uint64 * (pages * PAGE // 16))()
    for grain, key in keys.items():
        table[grain] = key
    blocks = (ctypes.c_uint64 * 3)(HEAP, pages * PAGE, ctypes.addressof(table))
    placement = Placement()
    placement.record(memory, ctypes.addressof(blocks))
    return placement


def test_the_keys_on_a_page_are_those_of_its_blocks(memory: Memory) -> None:
    placement = told({0: 7, 255: 8, 256: 9, 600: 10}, 3, memory)
    assert placement.keys_on([HEAP]) == [7, 8]
    assert placement.keys_on([HEAP + PAGE, HEAP + 2 * PAGE]) == [9, 10]


def test_pages_outside_of_the_heap_have_none(memory: Memory) -> None:
    placement = told({0: 7}, 1, memory)
    assert placement.keys_on([HEAP - PAGE, HEAP + PAGE, 0]) == []


def test_what_is_wanted_is_packed_as_the_program_reads_it() -> None:
    placement = Placement(PlacementMode.ISOLATED, [3, 2**63])
    assert struct.unpack("<QQ", placement.packed()) == (PlacementMode.ISOLATED, 2)
    assert struct.unpack("<QQ", placement.packed_keys()) == (3, 2**63)
