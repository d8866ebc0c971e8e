"""The launcher's decoder."""

from __future__ import annotations

import ctypes
import mmap
import os
import random
import struct
from pathlib import Path

import pytest

from pyl.image import arch
from pyl.image.file.page_codec import choose_kinds, encode
from pyl.image.file.structures import ENCODED_PAGE_MARGIN
from pyl.image.launcher.programs import SOURCES, freestanding_flags
from pyl.toolchain.zig import run_zig

PAGE = mmap.PAGESIZE
seeded = random.Random(20261128)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    if sanitized := os.environ.get("PYL_TEST_PAGE_CODEC"):  # `make test-sanitizers`
        return _load(sanitized)
    output = tmp_path_factory.mktemp("codec") / "page_codec.so"
    processor = arch.host()
    assert processor is not None
    flags = [flag for flag in freestanding_flags(processor) if flag not in ("-no-pie", "-static")]
    run_zig([*flags, f"-I{processor.folder}", "-shared", "-o", output, SOURCES / "page_codec.c"])
    return _load(str(output))


def _load(path: str) -> ctypes.CDLL:
    codec = ctypes.CDLL(path)
    codec.decode_page.restype = ctypes.c_size_t
    return codec


def file_pages(path: str) -> list[bytes]:
    content = Path(path).read_bytes()
    return [content[start : start + PAGE].ljust(PAGE, b"\0") for start in range(0, len(content), PAGE)]


@pytest.mark.parametrize(
    "pages",
    [
        [bytes(PAGE)],
        [seeded.randbytes(PAGE) for _ in range(3)],
        [b"\xff" * PAGE, bytes(PAGE), b"\x01" * PAGE],
        [struct.pack("<512Q", *(0x18DD_3600_0000 + seeded.randrange(1 << 24) for _ in range(512)))],
        file_pages(ctypes.__file__),
    ],
    ids=["zeros", "noise", "ones", "pointers", "text"],
)
def test_what_is_encoded_comes_back_and_nothing_behind_the_margin_is_read(
    library: ctypes.CDLL, pages: list[bytes]
) -> None:
    kinds = choose_kinds(pages)
    encoded = encode(pages, kinds)
    table = struct.pack("<48Q", *(n for kind in kinds for n in (kind.base, 2 ** (8 * kind.bytes) - 1, kind.bytes)))
    # The last of the margin's bytes is the last before a page that may not be read.
    room = mmap.mmap(-1, -(-(len(encoded) + ENCODED_PAGE_MARGIN) // PAGE) * PAGE + PAGE)
    end = len(room) - PAGE
    libc = ctypes.CDLL(None)
    address = ctypes.addressof(ctypes.c_char.from_buffer(room))
    start = end - ENCODED_PAGE_MARGIN - len(encoded)
    room[start : start + len(encoded)] = encoded
    assert libc.mprotect(ctypes.c_void_p(address + end), ctypes.c_size_t(PAGE), 0) == 0
    to = ctypes.create_string_buffer(PAGE)
    place = address + start
    for page in pages:
        place = library.decode_page(ctypes.c_void_p(place), table, to)
        assert to.raw == page
    assert place == address + start + len(encoded)
    assert libc.mprotect(ctypes.c_void_p(address + end), ctypes.c_size_t(PAGE), 3) == 0


def test_any_bytes_are_decoded_inside_the_page_and_the_margin(library: ctypes.CDLL) -> None:
    room = mmap.mmap(-1, 7 * PAGE)  # encoded pages, a page that may not be read, the page that is written, and another
    libc = ctypes.CDLL(None)
    address = ctypes.addressof(ctypes.c_char.from_buffer(room))
    unreadable = (2 * PAGE, 4 * PAGE, 6 * PAGE)
    for place in unreadable:
        assert libc.mprotect(ctypes.c_void_p(address + place), ctypes.c_size_t(PAGE), 0) == 0
    start = 2 * PAGE - ENCODED_PAGE_MARGIN
    contents = [b"\xff" * ENCODED_PAGE_MARGIN, *(seeded.randbytes(ENCODED_PAGE_MARGIN) for _ in range(100))]
    for content in contents:
        lengths = [8] * 16 if content is contents[0] else [seeded.randrange(9) for _ in range(16)]
        kinds = [(seeded.randrange(1 << 64) >> 8 * n << 8 * n, 2 ** (8 * n) - 1, n) for n in lengths]
        table = struct.pack("<48Q", *(number for kind in kinds for number in kind))
        room[start : start + len(content)] = content
        end = library.decode_page(ctypes.c_void_p(address + start), table, ctypes.c_void_p(address + 5 * PAGE))
        assert PAGE // 16 <= end - address - start <= ENCODED_PAGE_MARGIN - 8
    for place in unreadable:
        assert libc.mprotect(ctypes.c_void_p(address + place), ctypes.c_size_t(PAGE), 3) == 0
