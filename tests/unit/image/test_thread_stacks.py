"""Which memory is the stack of a thread."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pyl.image.arch.interface import Registers
from pyl.image.arch.x86_64.processor import X86_64
from pyl.image.capture.thread_stacks import ThreadStacks
from pyl.image.ptrace import Memory

CALLS = X86_64().system_calls
PRIVATE_STACK = 0x20022
START, SIZE = 0x700000, 0x10000
TOP = START + SIZE - 0x900


@pytest.fixture
def memory() -> Iterator[Memory]:
    """This process's."""
    memory = Memory(os.getpid())
    yield memory
    memory.close()


def calling(number: int, *arguments: int) -> Registers:
    return cast("Registers", SimpleNamespace(system_call=number, arguments=(*arguments, 0, 0, 0, 0)))


def stacks(**changes: Any) -> ThreadStacks:
    found = ThreadStacks()
    found.note_mapping(**{"address": START, "size": SIZE, "protection": 0, "flags": PRIVATE_STACK, **changes})
    return found


def test_clone_tells_the_top(memory: Memory) -> None:
    found = stacks()
    assert found.without_thread(0) == []
    found.note_thread(calling(CALLS.clone, 0, TOP), memory, CALLS)
    assert found.without_thread(0) == [(START, TOP)]


def test_clone3_tells_start_and_size(memory: Memory) -> None:
    found = stacks()
    arguments = ctypes.create_string_buffer(struct.pack("<11Q", 0, 0, 0, 0, 0, START, TOP - START, 0, 0, 0, 0))
    found.note_thread(calling(CALLS.clone3, ctypes.addressof(arguments)), memory, CALLS)
    assert found.without_thread(0) == [(START, TOP)]


@pytest.mark.parametrize("changes", [{"protection": 3}, {"flags": 0x22}, {"address": START + SIZE}])
def test_a_stack_of_the_programs_own_is_left_alone(changes: dict[str, int], memory: Memory) -> None:
    found = stacks(**changes)
    found.note_thread(calling(CALLS.clone, 0, TOP), memory, CALLS)
    assert found.without_thread(0) == []


def test_the_running_thread_keeps_its_stack(memory: Memory) -> None:
    found = stacks()
    found.note_thread(calling(CALLS.clone, 0, TOP), memory, CALLS)
    assert found.without_thread(TOP - 64) == []


@pytest.mark.parametrize(
    ("start", "size", "is_kept"), [(START - 8, 8, True), (START - 8, 9, False), (START + SIZE, 8, True)]
)
def test_memory_that_is_unmapped_is_no_stack(memory: Memory, start: int, size: int, is_kept: bool) -> None:
    found = stacks()
    found.note_thread(calling(CALLS.clone, 0, TOP), memory, CALLS)
    copy = found.copy()
    found.forget(start, size)
    assert bool(found.without_thread(0)) == is_kept
    assert copy.without_thread(0) == [(START, TOP)]
