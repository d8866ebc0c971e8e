"""Breakpoints of a capture: where they go, and that no snapshot holds one."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyl.image import elf_code
from pyl.image.arch.x86_64.processor import X86_64
from pyl.image.capture.breakpoints import Breakpoints, Site
from pyl.image.capture.traced_process import TracedProcess, file_at, leader_of, original_content, parent_of
from pyl.image.ptrace import Memory

BREAKPOINT = X86_64().breakpoint


@pytest.fixture
def process() -> Iterator[TracedProcess]:
    """This process, of which nobody traces anything."""
    process = TracedProcess(Memory(os.getpid()), os.getpid(), steered=True)
    yield process
    process.memory.close()


def test_a_breakpoint_is_placed_and_forgotten_with_its_memory(process: TracedProcess) -> None:
    code = ctypes.create_string_buffer(b"\x0f\xa2\x90\x90")
    address = ctypes.addressof(code)
    process.add_breakpoints([(address, b"\x0f\xa2")], BREAKPOINT)
    assert code.raw[:4] == BREAKPOINT + b"\xa2\x90\x90"
    assert original_content(code.raw[:4], address, process.sites, BREAKPOINT) == b"\x0f\xa2\x90\x90"
    process.forget(address + 1, 10)
    assert process.sites
    process.forget(address - 10, 11)
    assert not process.sites


def test_what_the_program_wrote_over_a_breakpoint_stays() -> None:
    assert original_content(b"\x90\x90", 0x1000, {0x1000: b"\x0f\xa2"}, BREAKPOINT) == b"\x90\x90"
    assert original_content(b"\xcc", 0x1000, {0x2000: b"\x0f\xa2"}, BREAKPOINT) == b"\xcc"


def test_the_part_of_a_file_that_is_mapped_gets_its_breakpoints(process: TracedProcess) -> None:
    code = ctypes.create_string_buffer(bytes(64))
    base = ctypes.addressof(code) - 0x1000
    sites = [Site(offset, b"\x0f\xa2") for offset in (0x1000, 0x1010, 0x2000)]
    Breakpoints(X86_64()).place(process, sites, base, 0x1010, 32)
    assert set(process.sites) == {base + 0x1010}


def test_getenv_of_the_c_library_gets_one() -> None:
    library = next(line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "libc.so.6" in line)
    content = Path(library).read_bytes()
    place = elf_code.exported(content, "getenv")
    assert place is not None
    with Path(library).open("rb") as file:
        sites = Breakpoints(X86_64()).sites_in_file(os.getpid(), file.fileno())
    assert Site(place, content[place : place + 1], "getenv") in sites


def test_processes_are_told_apart_by_what_the_kernel_says_of_them() -> None:
    assert (leader_of(os.getpid()), parent_of(os.getpid())) == (os.getpid(), os.getppid())
    libc = ctypes.cast(ctypes.CDLL(None).getenv, ctypes.c_void_p).value
    assert libc is not None
    assert file_at(os.getpid(), libc).startswith("libc")
    assert file_at(os.getpid(), 1) == ""
