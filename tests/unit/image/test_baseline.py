"""Finding pointers to functions that only larger processors can run."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from pyl.image.arch.x86_64.baseline import find_avx512_targets
from pyl.image.snapshot import EXECUTE, READ, WRITE, Region
from pyl.lambda_environment import PAGE

TEXT = 0x18AB_CDFF_F000
HEAP = 0x1900_0000_0000
AVX2 = b"\xc5\xfd\x6f\x06" + b"\xc3"  # vmovdqa ymm0, [rsi]; ret
AVX512 = b"\x62\xe1\xfe\x28\x6f\x06" + b"\xc3"  # vmovdqu64 ymm16, [rsi]; ret
BYTE_INSIDE = b"\xb8\x62\x62\x62\x62" + b"\xc3"  # mov eax, 0x62626262; ret
FALLS = b"\x90" * 16  # nops into what follows


def library(functions: dict[int, bytes]) -> tuple[bytes, bytes]:
    """A minimal ELF file with an unwind table that lists `functions` (page offset to code), and its code page."""
    code = bytearray(b"\xcc" * PAGE)
    for place, body in functions.items():
        code[place : place + len(body)] = body
    table = struct.pack("<4BiI", 1, 0, 0x03, 0x3B, 0, len(functions))
    table_at = 512
    for place in sorted(functions):
        table += struct.pack("<ii", PAGE + place - table_at, 0)
    head = bytearray(PAGE)
    head[:5] = b"\x7fELF\x02"
    struct.pack_into("<Q", head, 32, 64)
    struct.pack_into("<HH", head, 54, 56, 3)
    struct.pack_into("<IIQQQQ", head, 64, 1, 4, 0, 0, 0, PAGE)
    struct.pack_into("<IIQQQQ", head, 64 + 56, 1, 5, PAGE, PAGE, 0, PAGE)
    struct.pack_into("<IIQQQQ", head, 64 + 112, 0x6474E550, 4, table_at, table_at, 0, len(table))
    head[table_at : table_at + len(table)] = table
    return bytes(head) + bytes(code), bytes(code)


def scan(tmp_path: Path, functions: dict[int, bytes], pointer: int, *, at: int = 64) -> list[str]:
    file, code = library(functions)
    (tmp_path / "libc.so.6").write_bytes(file)
    page = bytearray(PAGE)
    struct.pack_into("<Q", page, at, pointer)
    text = Region(TEXT, PAGE, READ | EXECUTE, "/root/var/task/libc.so.6", False, False, {TEXT: code})
    heap = Region(HEAP, PAGE, READ | WRITE, "", False, False, {HEAP: bytes(page)})
    return find_avx512_targets((text, heap), tmp_path, "/var/task")


def test_a_pointer_to_a_function_with_avx512_instructions_is_found(tmp_path: Path) -> None:
    assert scan(tmp_path, {0: AVX2, 256: AVX512}, TEXT + 256) == ["libc.so.6+0x1100"]


@pytest.mark.parametrize("code", [AVX2, BYTE_INSIDE])
def test_code_of_the_baseline_may_be_pointed_to(tmp_path: Path, code: bytes) -> None:
    assert scan(tmp_path, {0: AVX512, 256: code}, TEXT + 256) == []


def test_a_function_that_runs_on_into_the_next_is_followed(tmp_path: Path) -> None:
    assert scan(tmp_path, {0: FALLS, 16: AVX512}, TEXT) == ["libc.so.6+0x1000"]


def test_numbers_that_are_no_pointers_to_functions_do_not_count(tmp_path: Path) -> None:
    assert scan(tmp_path, {0: AVX512}, TEXT + 2) == []
    assert scan(tmp_path, {0: AVX512}, TEXT, at=60) == []
