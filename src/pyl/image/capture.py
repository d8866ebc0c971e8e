"""Makes the process image of an unpacked native package: runs its program once, and stores what it became."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pyl.errors import BuildError
from pyl.image import baseline, description, guards, in_place, ptrace, sandbox, snapshot, trial
from pyl.image import format as image_format
from pyl.image.addresses import STACK_BYTES, Layout
from pyl.image.extension import NAME as EXTENSION
from pyl.image.format import Variant
from pyl.image.guards import Guard
from pyl.image.launcher import STARTER_ADDRESS, STARTER_LIMIT, build_starter
from pyl.image.ptrace import Memory
from pyl.image.snapshot import NotCapturable, Snapshot
from pyl.image.tracer import Tracer
from pyl.progress import Progress, Silent
from pyl.project.model import ImageMode

BASE, FULL = 1, 2
APP = f"{sandbox.TASK_ROOT}/pyl/app"
IMAGE = Path("pyl", "image")

ALWAYS = {
    # Lambda's own, equal in every environment of provided.al2 and provided.al2023.
    "LANG": "en_US.UTF-8",
    "TZ": ":UTC",
    "PATH": "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
    "LD_LIBRARY_PATH": "/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
    "LAMBDA_TASK_ROOT": sandbox.TASK_ROOT,
    "LAMBDA_RUNTIME_DIR": "/var/runtime",
}
CAPTURE_ONLY = {
    # So that nothing waits for a network that is not there, and symbols are bound while the processor is virtual.
    "AWS_EC2_METADATA_DISABLED": "true",
    "LD_BIND_NOW": "1",
}
TIMEOUT = 600.0
"""Seconds for which a program may import."""


class ImageRefused(BuildError):
    """`image = "require"`, and the image could not be taken."""


@dataclass(frozen=True)
class EnvironmentRead:
    """A variable that was read while the user's modules were imported."""

    name: str
    value: str | None
    where: str


@dataclass(frozen=True)
class CaptureResult:
    """What became of a capture."""

    kind: str
    """`full`, `base` or `none`."""
    reasons: tuple[str, ...] = ()
    """Why it is not `full`."""
    bytes: int = 0
    guards: tuple[Guard, ...] = ()
    environment: tuple[EnvironmentRead, ...] = ()
    modules: Mapping[str, str] = field(default_factory=dict)
    owners: Mapping[str, int] = field(default_factory=dict)
    """Bytes in the image by mapped file, and of the heap."""
    output: str = ""
    """What the program printed meanwhile."""


class CannotCapture(Exception):
    """This machine does not allow a capture at all."""


def capture(
    package: Path,
    *,
    environment: Mapping[str, str],
    warm_up: Mapping[str, Any] | None = None,
    output: Path | None = None,
    mode: ImageMode = "auto",
    progress: Progress | None = None,
    arguments: Sequence[str] = (),
) -> CaptureResult:
    """Run the program of the unpacked `package` at `/var/task`, and write its image (to `pyl/image`).

    `environment` is the functions' configured one, with the region; `warm_up` maps function names to events.
    Raises `ImageRefused` when `mode` is `require` and no full image could be taken.
    """
    progress = progress or Silent()
    target = output or package / IMAGE
    target.unlink(missing_ok=True)
    if mode == "off":
        return CaptureResult("none", ("image = false",))
    try:
        with progress.step("Capturing the process image"):
            result = _capture(package, environment, warm_up or {}, target, arguments)
    except CannotCapture as error:
        result = CaptureResult("none", (str(error),))
    if mode == "require" and result.kind != "full":
        reasons = "\n".join(f"  {reason}" for reason in result.reasons)
        msg = f"no full process image could be taken\n{reasons}"
        raise ImageRefused(msg, hint="see docs/images.md; `image = true` in [tool.pyl.native] builds without it")
    description.write(package, result)
    for reason in result.reasons:
        progress.note(f"process image: {result.kind}: {reason}")
    return result


def _capture(
    package: Path, environment: Mapping[str, str], warm_up: Mapping[str, Any], target: Path, arguments: Sequence[str]
) -> CaptureResult:
    session = Session(package, environment, warm_up, arguments)
    thread = threading.Thread(target=session.run, name="pyl capture")
    thread.start()
    try:
        while thread.is_alive():
            thread.join(0.2)
    except BaseException:
        session.kill()
        thread.join()
        raise
    if session.error is not None:
        raise session.error
    return _compose(session, target)


def _guards(reads: Iterable[EnvironmentRead]) -> Iterator[Guard]:
    return (guards.environment_guard(read.name, read.value) for read in reads if read.name not in CAPTURE_ONLY)


def _compose(session: Session, target: Path) -> CaptureResult:
    report = session.report
    reads = tuple(EnvironmentRead(r["name"], r["value"], r["where"]) for r in report.get("reads", ()))
    earlier, later = session.reads_of_c_code(BASE), session.reads_of_c_code(FULL)
    base_guards = (
        guards.task_root_guard(sandbox.TASK_ROOT),
        guards.environment_guard("LD_PRELOAD", None),
        *_guards(earlier),
    )
    full_guards = tuple(dict.fromkeys((*base_guards, *_guards(reads), *_guards(later))))
    reads = (*reads, *earlier, *later)
    if report.get("listed"):
        full_guards = (*full_guards, guards.no_other_guard(session.configured))
    variants = []
    if FULL in session.snapshots:
        variants.append(Variant(FULL, session.snapshots[FULL], full_guards))
    if BASE in session.snapshots:
        variants.append(Variant(BASE, session.snapshots[BASE], base_guards))
    reasons = tuple(session.reasons) if FULL not in session.snapshots else ()
    if not variants:
        return CaptureResult("none", reasons, output=session.output)
    image_format.write(target, _with_working_set(session, target, variants))
    return CaptureResult(
        kind="full" if FULL in session.snapshots else "base",
        reasons=reasons,
        bytes=target.stat().st_size,
        guards=variants[0].guards,
        environment=reads,
        modules=report.get("modules", {}),
        owners=description.owners(variants[0].snapshot.regions),
        output=session.output,
    )


def _with_working_set(session: Session, target: Path, variants: list[Variant]) -> list[Variant]:
    """The variants, the first with what a trial of it has touched."""
    first = variants[0]
    layout, *_ = image_format.write(target, variants)
    touched = trial.record(
        session.package,
        [(segment.address, segment.length, segment.protection) for segment in layout.segments],
        environment={**ALWAYS, **session.environment},
        events=session.warm_up,
    )
    return [replace(first, touched=touched), *variants[1:]]


class Session:
    """One traced run of the program, in one thread."""

    def __init__(
        self, package: Path, environment: Mapping[str, str], warm_up: Mapping[str, Any], arguments: Sequence[str]
    ) -> None:
        self.package = package
        self.environment = environment
        self.warm_up = warm_up
        self._arguments = arguments
        self.configured = frozenset(environment)
        self._environment = {**ALWAYS, **environment, **CAPTURE_ONLY, "PYL_CONFIGURED": " ".join(sorted(environment))}
        if warm_up:
            self._environment["PYL_WARM_UP"] = json.dumps(dict(warm_up))
        self.snapshots: dict[int, Snapshot] = {}
        self.asked: dict[int, dict[str, str]] = {}
        """What C code asked of the environment before each snapshot, and after an earlier one: name to its file."""
        self.reasons: list[str] = []
        self.report: dict[str, Any] = {}
        self.output = ""
        self.error: BaseException | None = None
        self.tracer: Tracer | None = None
        self._process = 0

    def run(self) -> None:
        try:
            self._run()
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
            self.error = error

    def reads_of_c_code(self, kind: int) -> tuple[EnvironmentRead, ...]:
        """The variables in `asked`, but those that do not matter: mended later, or set by the import itself."""
        unimportant = guards.MENDED if kind == BASE else self.report.get("written", ())
        return tuple(
            EnvironmentRead(name, self._environment.get(name), f"C code of {file}")
            for name, file in self.asked.get(kind, {}).items()
            if name not in unimportant and file != EXTENSION
        )

    def kill(self) -> None:
        """End the program from another thread."""
        if self._process:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process, signal.SIGKILL)

    def _run(self) -> None:
        with tempfile.TemporaryDirectory(prefix="pyl-capture-") as folder:
            starter = Path(folder, "starter")
            build_starter(starter)
            try:
                self._run_in_sandbox(starter)
            except CannotCapture:
                if not sandbox.stands_in_place(str(self.package)):
                    raise
                with in_place.prepared(self.package, starter) as loader:
                    self._run_in_sandbox(starter, loader=str(loader))

    def _run_in_sandbox(self, starter: Path, *, loader: str | None = None) -> None:
        """Run the program to its captures; with the `loader`'s place when that is no sandbox of its own."""
        layout = Layout()
        command = self._command(layout, loader or sandbox.REAL_LOADER)
        with _sandboxed(self.package, starter, command, self._environment, in_place=bool(loader)) as started:
            self._process = started.process
            watchdog = threading.Timer(TIMEOUT, self.kill)
            watchdog.start()
            try:
                self._trace(layout, started)
            finally:
                watchdog.cancel()
            self.output = started.output()

    def _command(self, layout: Layout, loader: str) -> list[str]:
        places = [f"{number:x}" for number in (layout.loader, layout.stack, STACK_BYTES)]
        program = [sandbox.LOADER, "--library-path", APP, f"{APP}/program"]
        return [sandbox.LOADER, loader, *places, *program, *self._arguments]

    def _trace(self, layout: Layout, started: _Started) -> None:
        try:
            ptrace.seize(started.process)
        except OSError as error:
            msg = f"this machine does not let a program be traced ({error.strerror})"
            raise CannotCapture(msg) from error
        self.tracer = Tracer(layout, on_tell=self._told, on_stop=self._stopped)
        started.release()
        status = self.tracer.run(started.process)
        code = os.waitstatus_to_exitcode(status)
        if code != 0 and FULL not in self.snapshots:
            ended = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
            self.reasons.append(f"the program ended with {ended} while it was captured\n{started.output()}".rstrip())

    def _told(self, text: bytes) -> None:
        self.report = json.loads(text)
        self.reasons += [
            f"{problem['what']} ({problem['where']})" if problem["where"] else problem["what"]
            for problem in self.report["problems"]
        ]

    def _stopped(self, thread: int, kind: int, memory: Memory, sites: dict[int, bytes]) -> None:
        assert self.tracer is not None  # noqa: S101 - it is calling
        self.asked[kind], self.tracer.variables = self.tracer.variables, {}
        try:
            starter = (STARTER_ADDRESS, STARTER_LIMIT)
            taken = snapshot.take(thread, memory, sites, starter=starter, reopened=self.report.get("files", ()))
        except NotCapturable as error:
            holder = self.report.get("holders", {}).get(str(error.descriptor))
            self.reasons.append(f"{error}, held by {holder}" if holder else str(error))
            return
        if larger := baseline.beyond(taken.regions, self.package, sandbox.TASK_ROOT):
            self.reasons.append(f"it would run {larger[0]} and {len(larger) - 1} more on processors without AVX-512")
            return
        self.snapshots[kind] = taken


@dataclass
class _Started:
    process: int
    _go: int
    _printed: list[bytes]

    def release(self) -> None:
        os.write(self._go, b"g")

    def output(self) -> str:
        """What the program has printed up to now."""
        return b"".join(self._printed).decode("utf-8", "replace")


@contextlib.contextmanager
def _sandboxed(
    package: Path, starter: Path, command: list[str], environment: Mapping[str, str], *, in_place: bool
) -> Iterator[_Started]:
    """The program in its sandbox, waiting to be traced and released. Raises `CannotCapture`."""
    report, report_in = os.pipe()
    go_out, go = os.pipe()
    settings = {
        "package": str(package.resolve()),
        "starter": str(starter),
        "argv": command,
        "environment": dict(environment),
        "in_place": in_place,
        "report": report_in,
        "go": go_out,
    }
    printed: list[bytes] = []
    helper = subprocess.Popen(
        [sys.executable, "-I", "-S", sandbox.__file__, json.dumps(settings)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=(report_in, go_out),
        env={},
        start_new_session=True,
    )
    assert helper.stdout is not None  # noqa: S101 - asked for with PIPE
    os.close(report_in)
    os.close(go_out)
    drain = threading.Thread(target=_copy, args=(helper.stdout, printed), name="pyl capture output")
    drain.start()
    try:
        with os.fdopen(report, "rb") as answer:
            said = json.loads(answer.read() or b'{"error": "the sandbox did not start"}')
        if "error" in said:
            msg = f"this machine allows no sandbox to run the program in ({said['error']})"
            raise CannotCapture(msg)
        yield _Started(said["process"], go, printed)
    finally:
        os.close(go)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(helper.pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            helper.wait()
        drain.join()
        helper.stdout.close()


def _copy(source: Any, printed: list[bytes]) -> None:
    while piece := source.read1(65536):
        printed.append(piece)
