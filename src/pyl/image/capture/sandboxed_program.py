"""Starts a program in the capture's sandbox, where it waits until it is traced."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pyl.architecture import Architecture
from pyl.image import ptrace
from pyl.sandbox import capture as capture_sandbox


class CannotCapture(Exception):
    """This machine does not allow a capture at all."""


class CannotTrace(CannotCapture):
    """The sandbox could be made, but not traced."""


@dataclass
class SandboxedProgram:
    """A program that waits in its sandbox."""

    process: int
    _release_pipe: int
    _output: list[bytes]

    def trace(self) -> None:
        """Trace it, in this thread.

        Raises:
            CannotTrace: The machine does not allow it.
        """
        try:
            ptrace.seize(self.process)
        except OSError as error:
            msg = f"this machine does not let a program be traced ({error.strerror})"
            raise CannotTrace(msg) from error

    def release(self) -> None:
        """Let it run."""
        os.write(self._release_pipe, b"g")

    def output(self) -> str:
        """Return what the program has printed up to now."""
        return b"".join(self._output).decode("utf-8", "replace")


@contextlib.contextmanager
def start_sandboxed(
    package: Path,
    starter: Path,
    command: list[str],
    environment: Mapping[str, str],
    *,
    architecture: Architecture,
    processors: int,
    random_file: Path,
    in_place: bool,
    skipped_ids: int = 0,
) -> Iterator[SandboxedProgram]:
    """Start a program in its sandbox, and end it with the context.

    Args:
        package: Folder that the program sees as `/var/task`.
        starter: The capture loader.
        command: Arguments of the capture loader.
        environment: The program's variables.
        architecture: The package's.
        processors: How many the program is told of.
        random_file: Is read in place of `/dev/urandom` where that may be repeated.
        in_place: This machine is the sandbox.
        skipped_ids: Process ids that are used before the program starts.

    Raises:
        CannotCapture: The machine does not allow such a sandbox.
    """
    report, report_in = os.pipe()
    release_out, release = os.pipe()
    sandbox = capture_sandbox.command(
        package=str(package.resolve()),
        starter=str(starter),
        argv=command,
        environment=environment,
        architecture=architecture,
        processors=processors,
        random_file=str(random_file),
        in_place=in_place,
        skipped_ids=skipped_ids,
        report=report_in,
        release=release_out,
    )
    output: list[bytes] = []
    helper = subprocess.Popen(
        sandbox,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=(report_in, release_out),
        env={},
        start_new_session=True,
    )
    assert helper.stdout is not None  # noqa: S101 - asked for with PIPE
    os.close(report_in)
    os.close(release_out)
    drain = threading.Thread(target=_drain, args=(helper.stdout, output), name="pyl capture output")
    drain.start()
    try:
        with os.fdopen(report, "rb") as pipe:
            answer = json.loads(pipe.read() or b'{"error": "the sandbox did not start"}')
        if "error" in answer:
            msg = f"this machine allows no sandbox to run the program in ({answer['error']})"
            raise CannotCapture(msg)
        yield SandboxedProgram(answer["process"], release, output)
    finally:
        os.close(release)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(helper.pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            helper.wait()
        drain.join()
        helper.stdout.close()


def _drain(source: IO[bytes], output: list[bytes]) -> None:
    while piece := os.read(source.fileno(), 65536):
        output.append(piece)
