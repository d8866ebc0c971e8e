"""Checks whether this machine allows a capture, by doing its first steps with a program that never runs."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

from pyl.image import ptrace
from pyl.image.capture.sandboxed_program import CannotCapture, CannotTrace, start_sandboxed
from pyl.sandbox import capture


@dataclass(frozen=True)
class Refused:
    """What this machine does not allow."""

    reason: str
    tracing: bool
    """The sandbox could be made, but not traced."""


def refused() -> Refused | None:
    """Return why nothing can be captured here; None when it can."""
    attempt = _Attempt()
    thread = threading.Thread(target=attempt.run, name="pyl permission")  # tracing belongs to the thread that did it
    thread.start()
    thread.join()
    return attempt.refused


class _Attempt:
    def __init__(self) -> None:
        self.refused: Refused | None = None

    def run(self) -> None:
        with tempfile.TemporaryDirectory(prefix="pyl-permission-") as folder:
            package, starter = Path(folder, "package"), Path(folder, "starter")
            starter.touch(mode=0o755)
            loader = package / capture.LOADER.removeprefix(f"{capture.TASK_ROOT}/")
            loader.parent.mkdir(parents=True)
            loader.touch(mode=0o755)
            try:
                self._trace_program(package, starter)
            except (CannotCapture, OSError) as error:
                self.refused = Refused(str(error), tracing=isinstance(error, CannotTrace))

    def _trace_program(self, package: Path, starter: Path) -> None:
        with start_sandboxed(package, starter, [capture.LOADER], {}, in_place=False) as program:
            program.trace()
            # It waits for its release, which never comes; who traces it must see it end.
            os.kill(program.process, signal.SIGKILL)
            while True:
                thread, status = ptrace.wait()
                if thread == program.process and (os.WIFSIGNALED(status) or os.WIFEXITED(status)):
                    return
