"""Brings files into the kernel's page cache, drops them from it, and counts what stayed."""

from __future__ import annotations

import ctypes
import mmap
import os
from collections.abc import Iterable
from pathlib import Path


def files(folders: Iterable[Path]) -> tuple[Path, ...]:
    """Every regular file with content in `folders`."""
    return tuple(
        path
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink() and path.stat().st_size
    )


def fill(paths: Iterable[Path]) -> None:
    """Read the files to their ends."""
    for path in paths:
        path.read_bytes()


def write_back(paths: Iterable[Path]) -> None:
    """Put the files onto the disk: pages that are not there yet cannot be dropped."""
    for path in paths:
        with path.open("rb") as file:
            os.fsync(file.fileno())


def drop(paths: Iterable[Path]) -> None:
    """Ask the kernel to forget the files' pages (`POSIX_FADV_DONTNEED`); needs no privilege.

    Pages that a living process has mapped stay. Folder entries and inodes stay, as they would not after a
    restart of the machine.
    """
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


def resident(paths: Iterable[Path]) -> float:
    """The part of the files' pages that is in memory now: 0.0 to 1.0."""
    library = ctypes.CDLL(None, use_errno=True)
    cached = total = 0
    for path in paths:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY) as mapping:
            pages = -(-len(mapping) // mmap.PAGESIZE)
            vector = (ctypes.c_ubyte * pages)()
            start = ctypes.c_char.from_buffer(mapping)
            library.mincore(ctypes.c_void_p(ctypes.addressof(start)), ctypes.c_size_t(len(mapping)), vector)
            del start
            cached += sum(page & 1 for page in vector)
            total += pages
    return cached / total if total else 0.0
