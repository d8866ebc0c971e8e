"""Whether this machine allows a capture, found by doing its first steps with a program that never runs."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

from pyl.architecture import Architecture
from pyl.image.arch.x86_64 import ptrace
from pyl.image.capture import session
from pyl.lambda_environment import TASK_ROOT
from pyl.sandbox import capture


@dataclass(frozen=True)
class Refused:
    """What this machine does not allow."""

    reason: str
    tracing: bool
    """The sandbox could be made, but not traced."""


def refused() -> Refused | None:
    """Why nothing can be captured here; None when it can."""
    trial = _Trial()
    thread = threading.Thread(target=trial.run, name="pyl permission")  # tracing belongs to the thread that did it
    thread.start()
    thread.join()
    return trial.refused


class _Trial:
    def __init__(self) -> None:
        self.refused: Refused | None = None

    def run(self) -> None:
        with tempfile.TemporaryDirectory(prefix="pyl-permission-") as folder:
            package, starter = Path(folder, "package"), Path(folder, "starter")
            starter.touch(mode=0o755)
            loader = package / capture.loader_path(Architecture.X86_64).removeprefix(f"{TASK_ROOT}/")
            loader.parent.mkdir(parents=True)
            loader.touch(mode=0o755)
            try:
                self._try(package, starter)
            except (session.CannotCapture, OSError) as error:
                self.refused = Refused(str(error), tracing=False)

    def _try(self, package: Path, starter: Path) -> None:
        with session.sandboxed(
            package, starter, [capture.loader_path(Architecture.X86_64)], {}, in_place=False
        ) as started:
            try:
                ptrace.seize(started.process)
            except OSError as error:
                reason = f"this machine does not let a program be traced ({error.strerror})"
                self.refused = Refused(reason, tracing=True)
                return
            # It waits for its release, which never comes; who traces it must see it end.
            os.kill(started.process, signal.SIGKILL)
            while True:
                thread, status = ptrace.wait()
                if thread == started.process and (os.WIFSIGNALED(status) or os.WIFEXITED(status)):
                    return
