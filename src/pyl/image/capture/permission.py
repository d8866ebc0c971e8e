"""Checks whether this machine allows a capture, by doing its first steps with a program that never runs."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

from pyl.architecture import Architecture
from pyl.image import arch, ptrace
from pyl.image.capture.sandboxed_program import CannotCapture, CannotTrace, SandboxedProgram, start_sandboxed
from pyl.lambda_environment import TASK_ROOT
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
        processor = arch.host()
        if processor is None:
            self.refused = Refused("there are no process images for this machine's processor", tracing=False)
            return
        try:
            self._trace_program(processor.architecture)
        except (CannotCapture, OSError) as error:
            self.refused = Refused(str(error), tracing=isinstance(error, CannotTrace))

    def _trace_program(self, architecture: Architecture) -> None:
        path = capture.loader_path(architecture)
        with tempfile.TemporaryDirectory(prefix="pyl-permission-") as folder:
            package, starter = Path(folder, "package"), Path(folder, "starter")
            starter.touch(mode=0o755)
            loader = package / path.removeprefix(f"{TASK_ROOT}/")
            loader.parent.mkdir(parents=True)
            loader.touch(mode=0o755)
            with start_sandboxed(
                package,
                starter,
                [path],
                {},
                architecture=architecture,
                processors=1,
                random_file=starter,
                in_place=False,
            ) as program:
                program.trace()
                _end(program)


def _end(program: SandboxedProgram) -> None:
    """End a traced program that waits for its release, and see its end, as only its tracer does."""
    os.kill(program.process, signal.SIGKILL)
    while True:
        thread, status = ptrace.wait()
        if thread == program.process and (os.WIFSIGNALED(status) or os.WIFEXITED(status)):
            return
