"""The protocol by which the build in the container reports to the host: one JSON object per line of its stdout."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self, TextIO

from pyl import errors
from pyl.errors import PylError
from pyl.progress import Progress

PROJECT = "/build/project"
"""Folder of the project in the container."""
OUT = "/build/out"
"""Folder to which the container writes the package."""
SITE = "/build/site"
"""Folder of the project's dependencies in the container."""
REQUEST = "/build/request.json"
"""File with the environment variables and the names of the functions to build."""

_LOG_INTERVAL = 0.2


class LineProgress:
    """Implementation of `pyl.progress.Progress` in the container, which writes each event as a line."""

    def __init__(self, stream: TextIO = sys.stdout) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Report the beginning and the end of a step."""
        self.say(begin=title)
        yield
        self.say(end=title)

    def detail(self, text: str) -> None:
        """Report what the current step is doing."""
        self.say(detail=text)

    def note(self, text: str) -> None:
        """Report something to read afterwards."""
        self.say(note=text)

    def say(self, **event: Any) -> None:
        """Write an event as one line."""
        with self._lock:
            self._stream.write(json.dumps(event) + "\n")
            self._stream.flush()

    @contextmanager
    def following(self, log: Path) -> Iterator[None]:
        """Report what is appended to a log file during the block."""
        done = threading.Event()

        def follow() -> None:
            position = 0
            while True:
                last = done.wait(_LOG_INTERVAL)
                if log.is_file():
                    with log.open("rb") as file:
                        file.seek(position)
                        if content := file.read():
                            position += len(content)
                            self.say(log=content.decode("utf-8", "replace"))
                if last:
                    return

        thread = threading.Thread(target=follow, name="log")
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


def described(error: PylError) -> dict[str, Any]:
    """Return an error as the value of an event."""
    kind = next(base.__name__ for base in type(error).__mro__ if base.__module__ == errors.__name__)
    return {"kind": kind, "message": error.message, "hint": error.hint}


class Listener:
    """Replays the events of the build in the container on the host."""

    def __init__(self, progress: Progress, log: Callable[[str], None], folders: Mapping[str, str]) -> None:
        """Create a listener.

        Args:
            progress: Receives steps, details and notes.
            log: Called with each piece of the build's log.
            folders: Folder of the host for each folder of the container, to translate paths in messages.
        """
        self._progress = progress
        self._log = log
        self._folders = folders
        self._steps = ExitStack()
        self._rest = b""
        self.package: dict[str, Any] | None = None
        self.error: PylError | None = None

    def receive(self, content: bytes) -> None:
        """Process a piece of the container's stdout, which may end in the middle of a line."""
        *lines, self._rest = (self._rest + content).split(b"\n")
        for line in lines:
            self._event(json.loads(line))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        """End the current step, if there is one."""
        self._steps.__exit__(*error)

    def _event(self, event: Mapping[str, Any]) -> None:
        match event:
            case {"begin": title}:
                self._steps.enter_context(self._progress.step(title))
            case {"end": _}:
                self._steps.close()
            case {"detail": text}:
                self._progress.detail(text)
            case {"note": text}:
                self._progress.note(self._here(text))
            case {"log": text}:
                self._log(text)
            case {"package": package}:
                self.package = package
            case {"error": error}:
                self.error = self._raisable(error)

    def _raisable(self, error: Mapping[str, Any]) -> PylError:
        kind: type[PylError] = getattr(errors, error["kind"])
        hint = error["hint"]
        return kind(self._here(error["message"]), hint=self._here(hint) if hint else None)

    def _here(self, text: str) -> str:
        for inside, outside in self._folders.items():
            text = text.replace(inside, outside)
        return text
