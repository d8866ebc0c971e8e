"""Starts each function once from a finished package, in Lambda's world, before the package replaces an earlier one.

A process starts as AWS would start it, up to its first request for an event. No handler is called: that has effects.
"""

from __future__ import annotations

import contextlib
import json
import os
import struct
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from pyl.architecture import Architecture
from pyl.errors import BuildError
from pyl.image.create import ImageRefused
from pyl.lambda_environment import LAYERS_ROOT, TASK_ROOT
from pyl.lambda_facts import Instance, lambda_variables
from pyl.packaging.extraction import unpacked
from pyl.packaging.package import FirstStart, ImageReport
from pyl.packaging.startup_api import StartupApi
from pyl.progress import Progress
from pyl.project.deployment import deployment_of
from pyl.project.model import Function, Project
from pyl.sandbox import execution

_PATIENCE = 60.0
"""Seconds for one start. Lambda allows 10, and starts again without that limit at the first invocation."""
_LAUNCHER = "pyl.launcher"
"""Name of the logger of the program that restores images."""
_OF_THIS_MACHINE = ("processors", "user")
"""Guards that may fail here only because this machine cannot be like Lambda."""
_EXCERPT = 12
"""Lines of a program's output that a report shows."""
_INSTANCE = Instance(
    runtime_api="",
    log_stream="2026/01/01/[$LATEST]00112233445566778899aabbccddeeff",
    credentials=("ASIAFIRSTSTART000000", "first-start-secret", "first-start-token"),
    metadata_token="first-start",  # noqa: S106 - made up
    host_name="169-254-172-17",
)


@dataclass(frozen=True)
class _Seen:
    """What was seen of one start.

    Attributes:
        seconds: Until the first request for an event; None if there was none.
        error: What it reported instead.
        output: What it printed.
        is_restored: Whether an image was used: a plain start executes the package's loader.
    """

    seconds: float | None
    error: dict[str, Any] | None
    output: str
    is_restored: bool


def check(
    project: Project, package: Path, image: ImageReport, progress: Progress
) -> tuple[ImageReport, tuple[FirstStart, ...]]:
    """Start each function of a native package.

    Args:
        project: The project.
        package: The finished zip, not yet at its place.
        image: What was captured.
        progress: Receives notes.

    Returns:
        The image that was seen to be used by all functions, and what was seen of each; nothing of them if this machine
        cannot start the package.

    Raises:
        BuildError: A function cannot be imported, and the configuration does not allow that.
        ImageRefused: A function does not start from its full image, and the configuration requires that.
    """
    if (why := _unavailable(project.configuration.architecture)) is not None:
        progress.note(f"functions were not started from the finished package: {why}")
        return image, ()
    with progress.step("Start each function once"), unpacked(package) as task, tempfile.TemporaryDirectory() as empty:
        seen = {function.name: _start(project, function, task, Path(empty)) for function in project.functions}
    failures = {name: one for name, one in seen.items() if one.seconds is None}
    if failures and not project.configuration.native.allow_failing_imports:
        raise _import_failure(project, failures)
    starts = tuple(_judge(name, one, image) for name, one in seen.items())
    reasons = tuple(dict.fromkeys(f"{start.function}: {why}" for start in starts for why in start.reasons))
    worst = min((start.image for start in starts if start.image), key=_KINDS.index, default=image.kind)
    if _KINDS.index(worst) < _KINDS.index(image.kind):
        image = replace(image, kind=worst, reasons=(*image.reasons, *reasons))
    if project.configuration.native.image == "require" and image.kind != "full":
        lines = "\n".join(f"  {reason}" for reason in image.reasons)
        msg = f"the finished package does not start from a full process image\n{lines}"
        raise ImageRefused(msg, hint="see docs/base-image.md; `image = true` in [tool.pyl.native] builds without it")
    return image, starts


_KINDS = ("none", "base", "full")


def _unavailable(architecture: Architecture) -> str | None:
    """Return why this machine cannot start the package; None if it can."""
    if os.uname().sysname != "Linux":
        return "that needs Linux"
    if architecture is not Architecture.host():
        return f"that needs an {architecture} processor"
    return execution.unavailable()


def _start(project: Project, function: Function, task: Path, empty: Path) -> _Seen:
    """Start one function, up to its first request."""
    deployment = deployment_of(project, function)
    with StartupApi() as api, tempfile.TemporaryFile() as log, _clock() as (clock_out, clock):
        variables = lambda_variables(deployment, replace(_INSTANCE, runtime_api=api.address))
        command = execution.command(
            [f"{TASK_ROOT}/bootstrap"],
            task=task,
            binds={LAYERS_ROOT: empty},
            environment={**function.configuration.environment, **variables},
            clock=clock,
            processors=deployment.processors,
        )
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=(clock,), start_new_session=True
        )
        try:
            os.close(clock)
            api.wait(_PATIENCE, lambda: process.poll() is not None)
            is_restored = _program(process) == "bootstrap"
        finally:
            process.kill()
            process.wait()
        output = os.pread(log.fileno(), 1 << 20, 0).decode("utf-8", "replace")
        if api.ready_at is not None:
            began = struct.unpack("=q", clock_out.read(8))[0]
            return _Seen((api.ready_at - began) / 1e9, None, output, is_restored)
        with contextlib.suppress(ValueError):
            return _Seen(None, json.loads(api.error or b"null"), output, is_restored)
        return _Seen(None, None, output, is_restored)


def _program(process: subprocess.Popen[bytes]) -> str:
    """Return the name of the program that a process executes; empty if it has ended."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process.pid}/exe").readlink().name
    return ""


@contextlib.contextmanager
def _clock() -> Iterator[tuple[IO[bytes], int]]:
    """Yield both ends of the pipe that tells when the program was executed; the caller closes the writing one."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as file:
        yield file, writing


def _judge(name: str, seen: _Seen, image: ImageReport) -> FirstStart:
    """Return what a start shows of the image."""
    if seen.seconds is None:
        return FirstStart(function=name, milliseconds=None, image="", reasons=(_first_line(seen),))
    kind, reasons = image.kind if seen.is_restored else "none", []
    for notice in _notices(seen.output):
        message = str(notice["message"]).removeprefix("the process image is not used: ")
        reason = f"{message} ({notice['guard']})" if "guard" in notice else message
        if notice.get("guard") in _OF_THIS_MACHINE:
            kind = ""
            reason = f"cannot be seen on this machine: {reason}"
        else:
            kind = "base" if notice.get("instead") == "base image" else "none"
        reasons.append(reason)
    return FirstStart(function=name, milliseconds=seen.seconds * 1e3, image=kind, reasons=tuple(reasons))


def _notices(output: str) -> Iterator[dict[str, Any]]:
    for line in output.splitlines():
        if f'"{_LAUNCHER}"' in line:
            with contextlib.suppress(ValueError):
                yield json.loads(line)


def _import_failure(project: Project, failures: dict[str, _Seen]) -> BuildError:
    parts = []
    for function in project.functions:
        if seen := failures.get(function.name):
            place = f"{function.file.relative_to(project.root)}:{function.line}"
            parts.append(f"{function.name} ({place}) cannot be imported: {_explain(seen)}")
    hint = (
        "mend the import, or move what needs the network or other services into the handler; "
        "`allow_failing_imports = true` in [tool.pyl.native] builds nevertheless"
    )
    return BuildError("\n".join(parts), hint=hint)


def _first_line(seen: _Seen) -> str:
    return f"cannot be imported: {_explain(seen)}".splitlines()[0]


def _explain(seen: _Seen) -> str:
    if seen.error is not None:
        trace: Sequence[object] = seen.error.get("stackTrace") or ()
        frames = "".join(str(frame).replace("\u00a0", " ") for frame in trace)
        return f"{seen.error.get('errorType')}: {seen.error.get('errorMessage')}\n{frames}".rstrip()
    printed = seen.output.strip().splitlines()[-_EXCERPT:]
    return "\n".join([f"it ended or was not ready within {_PATIENCE:.0f} s", *(f"  {line}" for line in printed)])
