"""The launcher's decoder against the reference library."""

from __future__ import annotations

import ctypes
import mmap
import random
from pathlib import Path

import lz4.block
import pytest

from pyl.image.compiler import run_zig
from pyl.image.launcher import FLAGS, SOURCES

PAGE = mmap.PAGESIZE
seeded = random.Random(20261127)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    output = tmp_path_factory.mktemp("lz4") / "lz4.so"
    kept = [flag for flag in FLAGS if flag not in ("-no-pie", "-static") and not flag.startswith("-Wl,-z")]
    run_zig([*kept, "-shared", "-o", output, SOURCES / "lz4.c"])
    return ctypes.CDLL(str(output))


def decode(library: ctypes.CDLL, block: bytes, length: int) -> bytes | None:
    """What it makes of a block, on a page that ends where the content does: a byte too far would be seen."""
    room = mmap.mmap(-1, (length + PAGE - 1) // PAGE * PAGE + PAGE)
    address = ctypes.addressof(ctypes.c_char.from_buffer(room))
    end = address + len(room) - PAGE
    libc = ctypes.CDLL(None)
    assert libc.mprotect(ctypes.c_void_p(end), ctypes.c_size_t(PAGE), 0) == 0
    to = ctypes.c_void_p(end - length)
    done = library.lz4_decode(block, ctypes.c_size_t(len(block)), to, ctypes.c_size_t(length))
    content = ctypes.string_at(to, length) if done else None
    assert libc.mprotect(ctypes.c_void_p(end), ctypes.c_size_t(PAGE), 3) == 0
    return content


def pages() -> list[bytes]:
    words = [seeded.randbytes(seeded.choice([1, 2, 3, 5, 8, 13, 16, 21])) for _ in range(20)]
    return [
        bytes(PAGE),
        seeded.randbytes(PAGE),
        *(bytes(seeded.randrange(256) for _ in range(period)) * (2 * PAGE // period + 1) for period in range(1, 40)),
        b"".join(seeded.choice(words) for _ in range(3000)),
        Path(ctypes.__file__).read_bytes(),
    ]


@pytest.mark.parametrize("compression", [1, 12])
def test_what_the_reference_encodes_comes_back(library: ctypes.CDLL, compression: int) -> None:
    for content in pages():
        block = lz4.block.compress(content, mode="high_compression", compression=compression, store_size=False)
        assert decode(library, block, len(content)) == content


def test_a_block_of_another_length_is_refused(library: ctypes.CDLL) -> None:
    for content in pages():
        block = lz4.block.compress(content, store_size=False)
        assert decode(library, block, len(content) - 1) is None
        assert decode(library, block, len(content) + 1) is None
        assert decode(library, block[:-1], len(content)) is None


def test_a_damaged_block_writes_nothing_outside_of_its_memory(library: ctypes.CDLL) -> None:
    for content in pages():
        block = bytearray(lz4.block.compress(content, store_size=False))
        for _ in range(200):
            damaged = bytearray(block)
            for _ in range(seeded.randrange(1, 4)):
                damaged[seeded.randrange(len(damaged))] = seeded.randrange(256)
            found = decode(library, bytes(damaged), len(content))
            assert found is None or len(found) == len(content)
