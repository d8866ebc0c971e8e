"""Checks that nothing in a snapshot leads to code of the C library that only larger processors can run.

The C library chooses its string functions once, by processor, and keeps pointers to them: in the tables of
every library that calls them, and wherever a program has put such a pointer. At capture it sees an x86-64-v3
processor; this module proves that it chose by that.
"""

from __future__ import annotations

import bisect
import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pyl.image import elf_code
from pyl.image.arch.x86_64 import disassembly
from pyl.image.snapshot import EXECUTE, Region
from pyl.lambda_environment import PAGE

_LIBRARIES = ("libc.so.6", "libm.so.6", "libmvec.so.1", "ld-linux-x86-64.so.2", "libpthread.so.0")
_EVEX = 0x62
"""First byte, in 64-bit code, of every AVX-512 instruction (Intel SDM volume 2, 2.7 "EVEX prefix"), and of no other."""
_LEAVES = ("ret", "jmp", "ud2", "hlt")
_FARTHEST = 4096
"""Bytes of a function that are searched at most."""


@dataclass(frozen=True)
class _Code:
    """The executable part of a library, where it is mapped."""

    library: str
    base: int
    """Address at which the library's file would begin."""
    address: int
    content: bytes
    functions: Sequence[int]
    """Addresses at which functions start, ordered."""


def find_avx512_targets(regions: Sequence[Region], package: Path, task_root: str) -> list[str]:
    """Find the functions that need AVX-512 and that something in the snapshot points to.

    Args:
        regions: The snapshot's memory.
        package: The folder that the snapshot's process saw as `task_root`.
        task_root: Folder of the package in Lambda.

    Returns:
        `library+offset` of each.
    """
    names: list[str] = []
    for code in _libraries(regions, package, task_root):
        targets = set(_pointers(regions, code))
        names += [
            f"{code.library}+{target - code.base:#x}"
            for target in sorted(targets.intersection(code.functions))
            if _needs_avx512(*_body(code, target))
        ]
    return names


def _libraries(regions: Iterable[Region], package: Path, task_root: str) -> Iterator[_Code]:
    for region in regions:
        name = PurePosixPath(region.name).name
        if name not in _LIBRARIES or not region.protection & EXECUTE:
            continue
        inside = region.name.rpartition(f"{task_root}/")[2]  # the sandbox's root is a folder, seen from here
        elf = (package / inside).read_bytes()
        segments = elf_code.program_headers(elf)
        offset = next(
            offset // PAGE * PAGE
            for kind, offset, _, _, flags in segments
            if kind == elf_code.LOAD and flags & elf_code.EXECUTABLE
        )
        starts = [region.address + start - offset for start in elf_code.function_starts(elf) if start >= offset]
        yield _Code(name, region.address - offset, region.address, elf[offset : offset + region.length], starts)


def _pointers(regions: Iterable[Region], code: _Code) -> Iterator[int]:
    """Yield every aligned word of memory that is an address in `code`."""
    first, last = code.address, code.address + len(code.content) - 1
    for high in range(first >> 24, (last >> 24) + 1):
        low = (first >> 16) & 0xFF if high == first >> 24 else 0
        top = (last >> 16) & 0xFF if high == last >> 24 else 0xFF
        # The upper five bytes of such a word: looking for bytes as they are is many times faster than any loop.
        upper = re.compile(re.escape(high.to_bytes(5, "little")))
        for region in regions:
            if region.protection & EXECUTE:
                continue
            for page in region.pages.values():
                for match in upper.finditer(page):
                    place = match.start() - 3
                    if place % 8 == 0 and low <= page[place + 2] <= top:
                        yield int.from_bytes(page[place : place + 8], "little")


def _body(code: _Code, target: int) -> tuple[bytes, int]:
    """Return the bytes at `target`, and how many belong to that function."""
    index = bisect.bisect_right(code.functions, target)
    end = code.functions[index] if index < len(code.functions) else code.address + len(code.content)
    start = target - code.address
    return code.content[start : start + _FARTHEST], end - target


@functools.cache  # a capture looks at two snapshots of one library
def _needs_avx512(body: bytes, length: int) -> bool:
    position = 0
    for place, size, mnemonic in disassembly.disassemble(body):
        if body[place] == _EVEX:
            return True
        position = place + size
        if position >= length and mnemonic in _LEAVES:  # else it falls through into the next
            return False
    return body[position : position + 1] == bytes((_EVEX,))  # one that the disassembler does not know
