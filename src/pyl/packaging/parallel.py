"""Makes the pieces of a package side by side: compilers leave processors idle when they work one after another."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor, wait
from typing import TypeVar

from pyl.process import ProcessGroup

T = TypeVar("T")


def all_of(tasks: Sequence[Callable[[], T]]) -> list[T]:
    """Run `tasks`, as many at once as there are processors, the first ones first; returns what each returns.

    The first that fails ends the programs that the others run, and its error is the one that is raised. So does
    whatever interrupts the wait (Ctrl-C).
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
    """How many this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # elsewhere than on Linux
        return os.cpu_count() or 1
