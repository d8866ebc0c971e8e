"""Finds, in machine code, the `cpuid` and `xgetbv` instructions, and where functions begin.

Their bytes also occur inside other instructions and in data, so each place is disassembled from where its
function starts (the unwind table tells), or from several places before it: x86 code falls into step soon.
"""

from __future__ import annotations

import bisect
import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import capstone
from elftools.elf.elffile import ELFFile

CPUID = b"\x0f\xa2"
XGETBV = b"\x0f\x01\xd0"

_FARTHEST_FUNCTION = 1 << 16
_STARTS_BEFORE = range(16, 96)


@dataclass(frozen=True)
class Code:
    """An executable stretch of a file."""

    content: bytes
    offset: int
    """Where in the file it begins."""
    functions: tuple[int, ...]
    """File offsets at which functions start, ordered; may be empty."""


def find(code: Code) -> list[tuple[int, bytes]]:
    """(file offset, bytes) of each `cpuid` and `xgetbv` instruction."""
    found = [
        (place, pattern)
        for pattern in (CPUID, XGETBV)
        for place in _occurrences(code.content, pattern)
        if _is_instruction(code, place)
    ]
    return sorted((code.offset + place, pattern) for place, pattern in found)


def _occurrences(content: bytes, pattern: bytes) -> Iterator[int]:
    place = content.find(pattern)
    while place >= 0:
        yield place
        place = content.find(pattern, place + 1)


@cache
def _disassembler() -> capstone.Cs:
    return capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)


def disassemble(content: bytes) -> Iterator[tuple[int, int, str]]:
    """(place, length, mnemonic) of each instruction, as far as they can be told."""
    for place, length, mnemonic, _ in _disassembler().disasm_lite(content, 0):
        yield place, length, mnemonic


def _is_instruction(code: Code, place: int) -> bool:
    index = bisect.bisect_right(code.functions, code.offset + place) - 1
    if index >= 0:
        start = code.functions[index] - code.offset
        if start >= 0 and place - start < _FARTHEST_FUNCTION and _falls_on(code.content, start, place):
            return True
    # No unwind information, or a jump table inside the function: most starts must agree.
    starts = [place - distance for distance in _STARTS_BEFORE if distance <= place]
    agreeing = sum(_falls_on(code.content, start, place) for start in starts)
    return agreeing * 2 > len(starts)


def _falls_on(content: bytes, start: int, place: int) -> bool:
    position = start
    for address, size, _, _ in _disassembler().disasm_lite(content[start : place + 16], start):
        if address >= place:
            return bool(address == place)
        position = address + size
    return position == place


def function_starts(elf: bytes) -> tuple[int, ...]:
    """File offsets of the functions that the unwind table (`.eh_frame_hdr`) of an ELF file lists."""
    segments = list(program_headers(elf))
    for kind, offset, address, file_bytes, _ in segments:
        if kind == 0x6474E550:  # PT_GNU_EH_FRAME
            return tuple(sorted(_table(elf, segments, offset, address, file_bytes)))
    return ()


def exported(elf: bytes, name: str) -> int | None:
    """File offset of the function that a shared library exports as `name`."""
    dynamic = next(ELFFile(io.BytesIO(elf)).iter_segments("PT_DYNAMIC"), None)  # sections may be stripped
    for symbol in (dynamic and dynamic.get_symbol_by_name(name)) or ():
        for kind, offset, address, size, _ in program_headers(elf):
            if kind == 1 and symbol["st_shndx"] != "SHN_UNDEF" and address <= symbol["st_value"] < address + size:
                return int(symbol["st_value"] - address + offset)
    return None


def program_headers(elf: bytes) -> Iterator[tuple[int, int, int, int, int]]:
    """(type, offset, address, bytes in file, flags) of each program header of a 64-bit ELF file."""
    if elf[:5] != b"\x7fELF\x02":
        return
    table, size, count = struct.unpack_from("<Q", elf, 32)[0], *struct.unpack_from("<HH", elf, 54)
    for index in range(count):
        kind, flags, offset, address, _, file_bytes = struct.unpack_from("<IIQQQQ", elf, table + index * size)
        yield kind, offset, address, file_bytes, flags


def _table(
    elf: bytes, segments: list[tuple[int, int, int, int, int]], offset: int, address: int, size: int
) -> Iterator[int]:
    # LSB core, "Exception frames": version 1, pointer pc-relative sdata4, count udata4, table datarel sdata4.
    if elf[offset] != 1 or elf[offset + 2] != 0x03 or elf[offset + 3] != 0x3B:
        return
    (count,) = struct.unpack_from("<I", elf, offset + 8)
    count = min(count, (size - 12) // 8)
    for start, _ in struct.iter_unpack("<ii", elf[offset + 12 : offset + 12 + count * 8]):
        place = address + start
        for kind, file_offset, segment_address, file_bytes, _ in segments:
            if kind == 1 and segment_address <= place < segment_address + file_bytes:
                yield place - segment_address + file_offset
                break
