"""Reads files into the kernel's page cache, drops them from it, and measures how much of them it holds."""

from __future__ import annotations

import ctypes
import mmap
import os
from collections.abc import Iterable
from pathlib import Path


def files(folders: Iterable[Path]) -> tuple[Path, ...]:
    """Return every regular, non-empty file below `folders`."""
    return tuple(
        path
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink() and path.stat().st_size
    )


def fill(paths: Iterable[Path]) -> None:
    """Read the files completely, so that the page cache holds them."""
    for path in paths:
        path.read_bytes()


def write_back(paths: Iterable[Path]) -> None:
    """Write the files' modified pages to the disk: until then they cannot be dropped."""
    for path in paths:
        with path.open("rb") as file:
            os.fsync(file.fileno())


def drop(paths: Iterable[Path]) -> None:
    """Ask the kernel to drop the files' pages (`POSIX_FADV_DONTNEED`), which needs no privilege.

    Pages that a running process has mapped stay. So do directory entries and inodes, unlike after a reboot.
    """
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


def resident(paths: Iterable[Path]) -> float:
    """Return the share of the files' pages that are in memory: 0.0 to 1.0."""
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
