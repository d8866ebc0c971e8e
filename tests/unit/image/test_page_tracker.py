"""Pages are given back as a process touches them: first to be read, then to be written."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator

import pytest

from pyl.image.capture.page_tracker import PageTracker
from pyl.image.ptrace import Memory
from pyl.image.snapshot import EXECUTE, READ, WRITE
from pyl.lambda_environment import PAGE
from unit.image.processor import Recording, registers

DATA, CODE, GUARD = 0x1800_0000_0000, 0x1900_0000_0000, 0x1A00_0000_0000
LAUNCHER = 0x1000_0000_1000
SEGMENTS = [(DATA, 4 * PAGE, READ | WRITE), (CODE, 2 * PAGE, READ | EXECUTE), (GUARD, PAGE, 0)]


@pytest.fixture
def processor() -> Recording:
    return Recording()


@pytest.fixture
def tracker(processor: Recording) -> Iterator[PageTracker]:
    """A tracker of a process that has just been restored."""
    tracker = PageTracker(processor, os.getpid(), SEGMENTS)
    tracker._memory = Memory(os.getpid())
    number = processor.system_calls.rt_sigprocmask
    processor.registers = registers(system_call=number, instruction_pointer=LAUNCHER, result=0)
    tracker._handle_result(1)
    yield tracker
    tracker._memory.close()
    tracker.close()


def test_all_that_can_be_touched_is_made_inaccessible_at_the_launchers_last_call(
    tracker: PageTracker, processor: Recording
) -> None:
    mprotect = processor.system_calls.mprotect
    assert processor.injected == [(mprotect, DATA, 4 * PAGE, 0), (mprotect, CODE, 2 * PAGE, 0)]


def test_a_page_is_first_read_and_then_written(tracker: PageTracker, processor: Recording) -> None:
    assert tracker._grant(1, DATA + 5)
    assert tracker.touched == {DATA: False}
    assert tracker._grant(1, DATA + 9)
    assert tracker.touched == {DATA: True}
    assert [call[-1] for call in processor.injected[2:]] == [READ, READ | WRITE]


def test_a_fault_that_the_image_is_not_the_cause_of_is_the_programs(tracker: PageTracker) -> None:
    assert tracker._grant(1, CODE)
    assert not tracker._grant(1, CODE)  # a write to code
    assert not tracker._grant(1, GUARD)
    assert not tracker._grant(1, 0)
    assert tracker.touched == {CODE: False}


def test_a_system_call_that_could_not_reach_its_arguments_is_made_once_more(
    tracker: PageTracker, processor: Recording
) -> None:
    failed = registers(result=2**64 - errno.EFAULT, arguments=(3, DATA + PAGE, 10, 0, 0, 0))
    processor.registers = failed
    tracker._handle_result(1)
    assert (failed.repeated, failed.written) == (True, True)
    assert tracker.touched == {DATA + PAGE: False}


def test_a_bad_pointer_of_the_programs_own_stays_an_error(tracker: PageTracker, processor: Recording) -> None:
    failed = registers(result=2**64 - errno.EFAULT, arguments=(3, 1, 10, 0, 0, 0))
    processor.registers = failed
    tracker._handle_result(1)
    assert not failed.repeated
