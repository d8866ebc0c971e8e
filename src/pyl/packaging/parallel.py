"""Runs the steps of a build in parallel: compilers that run one after another leave processors idle."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor, wait
from typing import TypeVar

from pyl.process import ProcessGroup

T = TypeVar("T")


def all_of(tasks: Sequence[Callable[[], T]]) -> list[T]:
    """Run tasks in parallel, as many at a time as there are processors, and return their results in order.

    If a task fails or the user interrupts (Ctrl-C), the programs that other tasks run are ended, and the first error is
    raised.
    """
    group = ProcessGroup()
    failures: list[BaseException] = []

    def run(task: Callable[[], T]) -> T:
        if failures:
            raise CancelledError
        try:
            with group.track():
                return task()
        except BaseException as failure:
            failures.append(failure)
            group.end()
            raise

    with ThreadPoolExecutor(max_workers=_processors()) as pool:
        futures = [pool.submit(run, task) for task in tasks]
        try:
            wait(futures)
        except BaseException as interruption:
            failures.append(interruption)
            group.end()
            raise
    if failures:
        raise failures[0]
    return [future.result() for future in futures]


def _processors() -> int:
    """Return how many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # elsewhere than on Linux
        return os.cpu_count() or 1
