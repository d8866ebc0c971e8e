"""How the core tells what it is doing. The core prints nothing; the command line shows these with rich."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Progress(Protocol):
    """Receives the steps of a long task."""

    def step(self, title: str) -> AbstractContextManager[None]:
        """Bracket one step, shown with the time that it took; steps do not nest."""
        ...

    def detail(self, text: str) -> None:
        """What the current step is at (a module being compiled); only the latest matters."""
        ...

    def note(self, text: str) -> None:
        """Something to read afterwards: a fallback taken, a thing to set."""
        ...


class Silent:
    """Progress that nobody watches."""

    @contextmanager
    def step(self, title: str) -> Iterator[None]:  # noqa: ARG002
        yield

    def detail(self, text: str) -> None:
        """Ignore it."""

    def note(self, text: str) -> None:
        """Ignore it."""
