"""Reports the progress of long tasks. The core prints nothing itself; the command line shows its reports with rich."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Progress(Protocol):
    """Receives reports on a long task."""

    def step(self, title: str) -> AbstractContextManager[None]:
        """Enclose one step. It is shown with the time that it took. Steps do not nest."""
        ...

    def detail(self, text: str) -> None:
        """Show what the current step is doing, such as the module being compiled. It replaces the detail before it."""
        ...

    def note(self, text: str) -> None:
        """Show a text that stays on the screen: a fallback that was taken, or a setting to change."""
        ...


class Silent:
    """Ignores all reports."""

    @contextmanager
    def step(self, title: str) -> Iterator[None]:  # noqa: ARG002
        """Show nothing."""
        yield

    def detail(self, text: str) -> None:
        """Show nothing."""

    def note(self, text: str) -> None:
        """Show nothing."""
