"""Progress of a build in a container is shown on the host as if the build ran there."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pyl.errors import BuildError, ConfigurationError, PylError, UsageError
from pyl.image.create import ImageRefused
from pyl.packaging.container.protocol import LineProgress, Listener, described


class Recorded:
    """Progress as a list of events."""

    def __init__(self) -> None:
        self.events: list[str] = []

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        self.events.append(f"begin {title}")
        yield
        self.events.append(f"end {title}")

    def detail(self, text: str) -> None:
        self.events.append(f"detail {text}")

    def note(self, text: str) -> None:
        self.events.append(f"note {text}")


def replayed(content: bytes, *, size: int = 4096) -> tuple[Recorded, Listener, str]:
    progress, log = Recorded(), io.StringIO()
    with Listener(progress, lambda text: print(text, end="", file=log), {"/build/project": "/home/me/p"}) as listener:
        for start in range(0, len(content), size):
            listener.receive(content[start : start + size])
    return progress, listener, log.getvalue()


def said(**event: object) -> bytes:
    return json.dumps(event).encode() + b"\n"


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_steps_details_and_notes_arrive_however_the_stream_is_cut(size: int) -> None:
    stream = io.StringIO()
    inside = LineProgress(stream)
    with inside.step("Compile"):
        inside.detail("ä module")
    inside.note("look at /build/project/a.py")
    progress, _, _ = replayed(stream.getvalue().encode(), size=size)
    assert progress.events == ["begin Compile", "detail ä module", "end Compile", "note look at /home/me/p/a.py"]


def test_the_log_follows_a_file_from_its_beginning(tmp_path: Path) -> None:
    stream, log = io.StringIO(), tmp_path / "native.log"
    with LineProgress(stream).following(log):
        log.write_text("one\n")
        with log.open("a") as file:
            file.write("two\n")
    assert replayed(stream.getvalue().encode())[2] == "one\ntwo\n"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (BuildError("no", hint="yes"), BuildError),
        (ConfigurationError("no"), ConfigurationError),
        (UsageError("no"), UsageError),
        (ImageRefused("no"), BuildError),
    ],
)
def test_errors_keep_their_kind_which_decides_the_exit_code(error: PylError, kind: type[PylError]) -> None:
    _, listener, _ = replayed(said(error=described(error)))
    assert type(listener.error) is kind
    assert listener.error is not None
    assert (listener.error.exit_code, listener.error.hint) == (error.exit_code, error.hint)


def test_errors_name_files_where_the_host_has_them() -> None:
    _, listener, _ = replayed(said(error=described(BuildError("/build/project/a.py: no"))))
    assert listener.error is not None
    assert listener.error.message == "/home/me/p/a.py: no"


def test_a_step_that_was_cut_off_does_not_look_finished() -> None:
    progress = Recorded()
    listener = Listener(progress, print, {})
    interruption = KeyboardInterrupt()
    listener.receive(said(begin="Compile"))
    with pytest.raises(KeyboardInterrupt), listener:
        raise interruption
    assert progress.events == ["begin Compile"]
