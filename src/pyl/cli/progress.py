"""Shows progress on stderr: a spinner with the current step on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
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
            try:
                with self._console.status(f"{escape(title)} …") as self._status:
                    yield
            finally:
                self._status = None
        else:
            yield
        self._console.print(f"  [green]✓[/] {escape(title)} [dim]{time.monotonic() - begun:.1f} s[/]", emoji=False)

    def detail(self, text: str) -> None:
        """Show `text` behind the current step's title, on a terminal only."""
        if self._status:
            room = max(20, self._console.width - len(self._title) - 8)
            self._status.update(f"{escape(self._title)} [dim]{escape(text[:room])}[/]")

    def note(self, text: str) -> None:
        """Print `text` on a line of its own."""
        self._console.print(f"  [yellow]•[/] {escape(text)}", emoji=False)
