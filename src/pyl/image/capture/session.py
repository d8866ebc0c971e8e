"""One run of a native package's program under trace, from its start to its captures."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import tempfile
import threading
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyl.architecture import Architecture
from pyl.image.addresses import STACK_BYTES, Layout, random_address
from pyl.image.arch.x86_64 import baseline, ptrace
from pyl.image.arch.x86_64.ptrace import Memory
from pyl.image.capture import snapshot
from pyl.image.capture.placement import Placement
from pyl.image.capture.snapshot import NotCapturable, Snapshot
from pyl.image.capture.tracer import Tracer
from pyl.image.file import guards
from pyl.image.launcher.programs import STARTER_ADDRESS, STARTER_LIMIT, build_starter
from pyl.lambda_environment import APP, TASK_ROOT, VARIABLES
from pyl.runtime.restore.capture_report import CaptureReport
from pyl.sandbox import capture as capture_sandbox
from pyl.sandbox import unsandboxed
from pyl.toolchain.native_runtime import NAME as EXTENSION

BASE, FULL = 1, 2
HASH_SEED = "PYTHONHASHSEED"

CAPTURE_ONLY = {
    # So that nothing waits for a network that is not there, and symbols are bound while the processor is virtual.
    "AWS_EC2_METADATA_DISABLED": "true",
    "LD_BIND_NOW": "1",
    # What places the program's objects must be there before its interpreter is.
    "LD_PRELOAD": f"{APP}/site/pyl/runtime/{EXTENSION}",
}
TIMEOUT = 600.0
"""Seconds for which a program may import."""


@dataclass(frozen=True)
class EnvironmentRead:
    """A variable that was read while the user's modules were imported."""

    name: str
    value: str | None
    where: str


class CannotCapture(Exception):
    """This machine does not allow a capture at all."""


class Session:
    """One traced run of the program, in one thread, in which it loads some of its functions."""

    def __init__(
        self,
        package: Path,
        environment: Mapping[str, str],
        warm_up: Mapping[str, Any],
        arguments: Sequence[str] = (),
        *,
        functions: Sequence[str] = (),
        like: Session | None = None,
        placement: Placement | None = None,
        kinds: Container[int] = (BASE, FULL),
    ) -> None:
        """Load all functions unless there are `functions`.

        Memory is where an earlier session, `like`, had it, and strings have the same hashes. `kinds` are the snapshots
        that are taken.
        """
        self.package = package
        self.environment = environment
        self.warm_up = warm_up
        self.functions = tuple(functions)
        self.address: int = like.address if like else random_address()
        self.hash_seed: str = like.hash_seed if like else str(1 + secrets.randbelow(2**32 - 1))
        self.placement = placement or Placement()
        self.arguments = arguments
        self._kinds = kinds
        self.configured = frozenset(environment)
        self._environment = {**VARIABLES, **environment, **CAPTURE_ONLY, HASH_SEED: self.hash_seed}
        self._environment["PYL_CONFIGURED"] = " ".join(sorted(environment))
        if warm_up:
            self._environment["PYL_WARM_UP"] = json.dumps(dict(warm_up))
        if functions:
            self._environment["PYL_FUNCTIONS"] = " ".join(functions)
        self.snapshots: dict[int, Snapshot] = {}
        self.asked: dict[int, dict[str, str]] = {}
        """What C code asked of the environment before each snapshot, and after an earlier one: name to its file."""
        self.reasons: list[str] = []
        self.report = CaptureReport()
        """What the program has reported; empty until it does."""
        self.output = ""
        self._error: BaseException | None = None
        self.tracer: Tracer | None = None
        self._process = 0

    def run(self) -> Session:
        """Run the program, in a thread of its own: ptrace wants one. Raises `CannotCapture`."""
        thread = threading.Thread(target=self._run_or_fail, name="pyl capture")
        thread.start()
        try:
            while thread.is_alive():
                thread.join(0.2)
        except BaseException:
            self._kill()
            thread.join()
            raise
        if self._error is not None:
            raise self._error
        return self

    def again(self, placement: Placement, kinds: Container[int]) -> Session:
        """Run the same once more with its objects placed otherwise."""
        return Session(
            self.package,
            self.environment,
            self.warm_up,
            self.arguments,
            functions=self.functions,
            like=self,
            placement=placement,
            kinds=kinds,
        ).run()

    def drop_unfit(self) -> None:
        """Drop the snapshots that would not run on every processor, and say so."""
        for kind, taken in list(self.snapshots.items()):
            if larger := baseline.beyond(taken.regions, self.package, TASK_ROOT):
                self.reasons.append(
                    f"it would run {larger[0]} and {len(larger) - 1} more on processors without AVX-512"
                )
                del self.snapshots[kind]

    def _run_or_fail(self) -> None:
        try:
            self._run()
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
            self._error = error

    def reads(self) -> tuple[EnvironmentRead, ...]:
        """The variables that Python code read at import."""
        return tuple(EnvironmentRead(read.name, read.value, read.place) for read in self.report.reads)

    def reads_of_c_code(self, kind: int) -> tuple[EnvironmentRead, ...]:
        """The variables in `asked`, but those that do not matter: mended later, or set by the import itself."""
        unimportant = guards.MENDED if kind == BASE else self.report.written_variables
        return tuple(
            EnvironmentRead(name, self._environment.get(name), f"C code of {file}")
            for name, file in self.asked.get(kind, {}).items()
            if name not in unimportant and file != EXTENSION
        )

    def _kill(self) -> None:
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
                if not capture_sandbox.can_run_in_place(str(self.package)):
                    raise
                with unsandboxed.prepare_package(self.package, starter, Architecture.X86_64) as loader:
                    self._run_in_sandbox(starter, loader=str(loader))

    def _run_in_sandbox(self, starter: Path, *, loader: str | None = None) -> None:
        """Run the program to its captures; with the `loader`'s place when that is no sandbox of its own."""
        layout = Layout(self.address)
        command = self._command(layout, loader or capture_sandbox.REAL_LOADER)
        with sandboxed(self.package, starter, command, self._environment, in_place=bool(loader)) as started:
            self._process = started.process
            watchdog = threading.Timer(TIMEOUT, self._kill)
            watchdog.start()
            try:
                self._trace(layout, started)
            finally:
                watchdog.cancel()
            self.output = started.output()

    def _command(self, layout: Layout, loader: str) -> list[str]:
        places = [f"{number:x}" for number in (layout.loader, layout.stack, STACK_BYTES)]
        starter = capture_sandbox.loader_path(Architecture.X86_64)
        program = [starter, "--library-path", APP, f"{APP}/program"]
        return [starter, loader, *places, *program, *self.arguments]

    def _trace(self, layout: Layout, started: Started) -> None:
        try:
            ptrace.seize(started.process)
        except OSError as error:
            msg = f"this machine does not let a program be traced ({error.strerror})"
            raise CannotCapture(msg) from error
        self.tracer = Tracer(layout, on_tell=self._told, on_stop=self._stopped, placement=self.placement)
        started.release()
        status = self.tracer.run(started.process)
        code = os.waitstatus_to_exitcode(status)
        if code != 0 and FULL not in self.snapshots:
            ended = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
            self.reasons.append(f"the program ended with {ended} while it was captured\n{started.output()}".rstrip())

    def _told(self, text: bytes) -> None:
        self.report = CaptureReport.from_json(text)
        self.reasons += [
            f"{problem.message} ({problem.place})" if problem.place else problem.message
            for problem in self.report.problems
        ]

    def _stopped(self, thread: int, kind: int, memory: Memory, sites: dict[int, bytes]) -> None:
        assert self.tracer is not None  # noqa: S101 - it is calling
        self.asked[kind], self.tracer.variables = self.tracer.variables, {}
        if kind not in self._kinds:
            return
        try:
            starter = (STARTER_ADDRESS, STARTER_LIMIT)
            taken = snapshot.take(thread, memory, sites, starter=starter, reopened=self.report.reopened_descriptors)
        except NotCapturable as error:
            holders = self.report.descriptor_holders
            holder = holders.get(error.descriptor) if error.descriptor is not None else None
            self.reasons.append(f"{error}, held by {holder}" if holder else str(error))
            return
        self.snapshots[kind] = taken


@dataclass
class Started:
    process: int
    _go: int
    _printed: list[bytes]

    def release(self) -> None:
        os.write(self._go, b"g")

    def output(self) -> str:
        """What the program has printed up to now."""
        return b"".join(self._printed).decode("utf-8", "replace")


@contextlib.contextmanager
def sandboxed(
    package: Path, starter: Path, command: list[str], environment: Mapping[str, str], *, in_place: bool
) -> Iterator[Started]:
    """The program in its sandbox, waiting to be traced and released. Raises `CannotCapture`."""
    report, report_in = os.pipe()
    go_out, go = os.pipe()
    sandbox = capture_sandbox.command(
        package=str(package.resolve()),
        starter=str(starter),
        argv=command,
        environment=environment,
        architecture=Architecture.X86_64,
        in_place=in_place,
        report=report_in,
        release=go_out,
    )
    printed: list[bytes] = []
    helper = subprocess.Popen(
        sandbox,
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
        yield Started(said["process"], go, printed)
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
