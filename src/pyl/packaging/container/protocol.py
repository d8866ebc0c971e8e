"""How the build inside of the container tells what it does: a JSON object per line of its stdout."""

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
"""Where the project stands in the container."""
OUT = "/build/out"
SITE = "/build/site"
"""Where its dependencies stand."""
REQUEST = "/build/request.json"

_LOG_INTERVAL = 0.2


class LineProgress:
    """`pyl.progress.Progress` inside of the container: each event a line."""

    def __init__(self, stream: TextIO = sys.stdout) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Bracket one step."""
        self.say(begin=title)
        yield
        self.say(end=title)

    def detail(self, text: str) -> None:
        """What the step is at."""
        self.say(detail=text)

    def note(self, text: str) -> None:
        """Something to read afterwards."""
        self.say(note=text)

    def say(self, **event: Any) -> None:
        """Write one line."""
        with self._lock:
            self._stream.write(json.dumps(event) + "\n")
            self._stream.flush()

    @contextmanager
    def following(self, log: Path) -> Iterator[None]:
        """Tell what is appended to `log` meanwhile."""
        done = threading.Event()

        def follow() -> None:
            told = 0
            while True:
                last = done.wait(_LOG_INTERVAL)
                if log.is_file():
                    with log.open("rb") as file:
                        file.seek(told)
                        if content := file.read():
                            told += len(content)
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
    """An error as an event's value."""
    kind = next(base.__name__ for base in type(error).__mro__ if base.__module__ == errors.__name__)
    return {"kind": kind, "message": error.message, "hint": error.hint}


class Listener:
    """Replays on the host what the build inside tells."""

    def __init__(self, progress: Progress, log: Callable[[str], None], places: Mapping[str, str]) -> None:
        """`places` maps folders of the container to the host's, for messages."""
        self._progress = progress
        self._log = log
        self._places = places
        self._steps = ExitStack()
        self._rest = b""
        self.package: dict[str, Any] | None = None
        self.error: PylError | None = None

    def receive(self, content: bytes) -> None:
        """Take a piece of the container's stdout, which may end anywhere."""
        *lines, self._rest = (self._rest + content).split(b"\n")
        for line in lines:
            self._event(json.loads(line))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        """End the step that is shown, if there is one."""
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
        for inside, outside in self._places.items():
            text = text.replace(inside, outside)
        return text
