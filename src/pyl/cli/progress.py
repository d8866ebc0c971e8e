"""Shows progress on stderr: a spinner with the current step on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.status import Status


class ConsoleProgress:
    """`pyl.progress.Progress` on the terminal's error stream."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._status: Status | None = None
        self._title = ""

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Bracket one step; prints its title and seconds at the end."""
        self._title = title
        begun = time.monotonic()
        if self._console.is_terminal:
            with self._console.status(f"{title} …") as self._status:
                yield
            self._status = None
        else:
            yield
        self._console.print(f"  [green]✓[/] {title} [dim]{time.monotonic() - begun:.1f} s[/]", emoji=False)

    def detail(self, text: str) -> None:
        """Show `text` behind the current step's title, on a terminal only."""
        if self._status:
            room = max(20, self._console.width - len(self._title) - 8)
            self._status.update(f"{self._title} [dim]{text[:room]}[/]")

    def note(self, text: str) -> None:
        """Print `text` on a line of its own."""
        self._console.print(f"  [yellow]•[/] {text}", emoji=False)
