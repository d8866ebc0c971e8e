"""Numbers that stand for the ids of a captured program's processes and threads: the same in each run."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable

from pyl.image.capture.traced_process import own_id


class ThreadNumbers:
    """Numbers threads in the order in which their ids are asked for."""

    def __init__(self) -> None:
        """Number nothing yet."""
        self._numbers: dict[int, int] = defaultdict(itertools.count(1).__next__)

    def of(self, thread: int) -> int:
        """Return the number of a thread, or of a process by its first thread."""
        return self._numbers[thread]

    def remove(self, thread: int) -> None:
        """Forget a thread that has ended."""
        self._numbers.pop(thread, None)

    def real_id(self, told: int, offsets: Iterable[int]) -> int | None:
        """Return the id that a thread has in its namespace; None if the program was told no such one.

        Args:
            told: What the program was told.
            offsets: What may have been added to the number.
        """
        numbers = {told - offset for offset in offsets}
        return next((own_id(thread) for thread, number in self._numbers.items() if number in numbers), None)
