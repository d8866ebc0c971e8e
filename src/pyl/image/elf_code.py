"""Reads of ELF files what a capture needs: program headers, where functions start, exported functions."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator

from elftools.elf.elffile import ELFFile

LOAD = 1
"""PT_LOAD."""
EXECUTABLE = 1
"""PF_X."""
_EH_FRAME = 0x6474E550
"""PT_GNU_EH_FRAME."""


def function_starts(elf: bytes) -> tuple[int, ...]:
    """Return the file offsets of the functions that the unwind table (`.eh_frame_hdr`) of an ELF file lists."""
    segments = list(program_headers(elf))
    for kind, offset, address, file_bytes, _ in segments:
        if kind == _EH_FRAME:
            return tuple(sorted(_table(elf, segments, offset, address, file_bytes)))
    return ()


def exported(elf: bytes, name: str) -> int | None:
    """Return the file offset of the function that a shared library exports as `name`."""
    dynamic = next(ELFFile(io.BytesIO(elf)).iter_segments("PT_DYNAMIC"), None)  # sections may be stripped
    for symbol in (dynamic and dynamic.get_symbol_by_name(name)) or ():
        for kind, offset, address, size, _ in program_headers(elf):
            if kind == LOAD and symbol["st_shndx"] != "SHN_UNDEF" and address <= symbol["st_value"] < address + size:
                return int(symbol["st_value"] - address + offset)
    return None


def program_headers(elf: bytes) -> Iterator[tuple[int, int, int, int, int]]:
    """Yield (type, offset, address, bytes in file, flags) of each program header of a 64-bit ELF file."""
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
            if kind == LOAD and segment_address <= place < segment_address + file_bytes:
                yield place - segment_address + file_offset
                break
