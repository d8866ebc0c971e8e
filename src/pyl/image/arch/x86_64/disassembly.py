"""Finds the `cpuid` and `xgetbv` instructions in machine code.

Their bytes also occur inside other instructions and in data. So each place is disassembled from the start of its
function, or from several places before it: disassembly of x86 code soon falls into step.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import capstone

CPUID = b"\x0f\xa2"
XGETBV = b"\x0f\x01\xd0"

_FARTHEST_FUNCTION = 1 << 16
_STARTS_BEFORE = range(16, 96)


@dataclass(frozen=True)
class Code:
    """An executable stretch of a file."""

    content: bytes
    offset: int
    """Offset in the file of its first byte."""
    functions: tuple[int, ...]
    """File offsets at which functions start, ordered; may be empty."""


def find(code: Code) -> list[tuple[int, bytes]]:
    """Return (file offset, bytes) of each `cpuid` and `xgetbv` instruction."""
    places = [
        (place, pattern)
        for pattern in (CPUID, XGETBV)
        for place in _occurrences(code.content, pattern)
        if _is_instruction(code, place)
    ]
    return sorted((code.offset + place, pattern) for place, pattern in places)


def _occurrences(content: bytes, pattern: bytes) -> Iterator[int]:
    place = content.find(pattern)
    while place >= 0:
        yield place
        place = content.find(pattern, place + 1)


@cache
def _disassembler() -> capstone.Cs:
    return capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)


def disassemble(content: bytes) -> Iterator[tuple[int, int, str]]:
    """Yield (place, length, mnemonic) of each instruction up to the first bytes that are none."""
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
