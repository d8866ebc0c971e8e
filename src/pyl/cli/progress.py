"""Shows progress on stderr: with a spinner on a terminal, as plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.status import Status


class ConsoleProgress:
    """Implements `pyl.progress.Progress` for the terminal."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._status: Status | None = None
        self._title = ""

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Enclose one step, and print its title and duration at the end."""
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
        """Show a text after the title of the current step, on a terminal only."""
        if self._status:
            width = max(20, self._console.width - len(self._title) - 8)
            self._status.update(f"{escape(self._title)} [dim]{escape(text[:width])}[/]")

    def note(self, text: str) -> None:
        """Print a text on a line of its own."""
        self._console.print(f"  [yellow]•[/] {escape(text)}", emoji=False)
