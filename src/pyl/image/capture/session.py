"""One run of a native package's program under trace, from its start to its captures."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import tempfile
import threading
from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import Any

from pyl.image import arch
from pyl.image.addresses import STACK_BYTES, Layout, random_address
from pyl.image.arch.interface import Processor
from pyl.image.capture import protocol
from pyl.image.capture.contacts import Contact, Kind
from pyl.image.capture.placement import Placement
from pyl.image.capture.process_reader import NotCapturable, take_snapshot
from pyl.image.capture.sandboxed_program import CannotCapture, SandboxedProgram, start_sandboxed
from pyl.image.capture.traced_process import TracedProcess
from pyl.image.capture.tracer import Tracer
from pyl.image.capture.world import World
from pyl.image.launcher.programs import CAPTURE_LOADER_BYTES, build_capture_loader
from pyl.image.snapshot import BASE, FULL, EnvironmentRead, Snapshot
from pyl.lambda_environment import APP, GROUP, TASK_ROOT, USER
from pyl.lambda_facts import Deployment
from pyl.runtime.restore.capture_report import CaptureReport
from pyl.sandbox import capture as capture_sandbox
from pyl.sandbox import unsandboxed

HASH_SEED = "PYTHONHASHSEED"

CAPTURE_ONLY = {
    # So that symbols are bound while the processor is virtual. The program itself does not see it.
    "LD_BIND_NOW": "1",
    # What places the program's objects must be there before its interpreter is.
    "LD_PRELOAD": f"{APP}/site/pyl/runtime/{protocol.EXTENSION}",
}
DEFAULT_DEPLOYMENT = Deployment(function="function", handler="functions.function")
_SKIPPED_IDS = 5
"""Process ids of the other world: threads get ids there that differ as well."""
TIMEOUT = 600.0
"""Seconds for which a program may import."""


REREAD = frozenset(("PATH", "TZ"))
"""Variables that the interpreter reads when it starts, to find itself and its time zone. Where it is does not depend on
the first, and a restored process reads the second again."""


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
        deployment: Deployment | None = None,
        world: World | None = None,
    ) -> None:
        """Prepare a run.

        Args:
            package: The unpacked native package.
            environment: The project's variables.
            warm_up: Function names to events; each is called before the snapshot.
            arguments: Of the program.
            functions: The functions to load; all if there are none.
            like: An earlier session. Memory gets the same addresses, and strings the same hashes.
            placement: Where the program's objects go.
            kinds: The snapshots to take.
            deployment: Of the first of the functions.
            world: What the program is told; by default the world of an instance of `deployment`.

        Raises:
            CannotCapture: There are no images for this machine's processor.
        """
        processor = arch.host()
        if processor is None:
            msg = "there are no process images for this machine's processor"
            raise CannotCapture(msg)
        self._processor: Processor = processor
        self.package = package
        self.environment = environment
        self.warm_up = warm_up
        self.functions = tuple(functions)
        self.address: int = like.address if like else random_address(processor.lowest_address)
        self.hash_seed: str = like.hash_seed if like else str(1 + secrets.randbelow(2**32 - 1))
        self.placement = placement or Placement()
        self.arguments = arguments
        self._kinds = kinds
        self.configured = frozenset(environment)
        self.deployment: Deployment = deployment or (like.deployment if like else DEFAULT_DEPLOYMENT)
        self.world = world or World(self.deployment, configured=environment)
        self._environment = {**self.world.variables, **CAPTURE_ONLY, HASH_SEED: self.hash_seed}
        self._environment[protocol.CONFIGURED_VARIABLE] = " ".join(sorted(environment))
        if warm_up:
            self._environment[protocol.WARM_UP_VARIABLE] = json.dumps(dict(warm_up))
        if functions:
            self._environment[protocol.FUNCTIONS_VARIABLE] = " ".join(functions)
        self.snapshots: dict[int, Snapshot] = {}
        self._variables_of_c_code: dict[int, dict[str, str]] = {}
        """Variables that C code read before each kind of snapshot, and after an earlier one: name to its file."""
        self.contacts: dict[int, tuple[Contact, ...]] = {}
        """What the program asked its world for before each kind of snapshot, and after an earlier one."""
        self.reasons: list[str] = []
        self.report = CaptureReport()
        """What the program has reported; empty until it does."""
        self.output = ""
        self.stamps: frozenset[int] = frozenset()
        """Times and inode numbers of the files outside of the package that the program looked at."""
        self._error: BaseException | None = None
        self.tracer: Tracer | None = None
        self._process = 0

    def run(self) -> Session:
        """Run the program in a thread of its own, which ptrace needs.

        Raises:
            CannotCapture: This machine does not allow a capture.
        """
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

    def again(self, placement: Placement, kinds: Container[int], *, world: World | None = None) -> Session:
        """Run the same program once more, with another placement of its objects, or in another world."""
        return Session(
            self.package,
            self.environment,
            self.warm_up,
            self.arguments,
            functions=self.functions,
            like=self,
            placement=placement,
            kinds=kinds,
            world=world,
        ).run()

    def in_other_world(self, kinds: Container[int], varied: frozenset[str], *, same: bool = False) -> Session:
        """Run the same program at the same addresses, as another instance would.

        Args:
            kinds: The snapshots to take.
            varied: Names of Lambda's variables that shall have other values, besides those of the instance.
            same: Repeat the same world instead.
        """
        world = World(self.deployment, configured=self.environment, repeats=self.world, varied=varied, same=same)
        return self.again(Placement(self.placement.mode, self.placement.keys), kinds, world=world)

    def drop_unsupported(self) -> None:
        """Drop the snapshots that would not run on every processor, and note the reason."""
        for kind, snapshot in list(self.snapshots.items()):
            if reason := self._processor.find_unsupported_code(snapshot.regions, self.package, TASK_ROOT):
                self.reasons.append(reason)
                del self.snapshots[kind]

    def _run_or_fail(self) -> None:
        try:
            self._run()
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
            self._error = error

    def reads(self) -> tuple[EnvironmentRead, ...]:
        """Return the variables that Python code read at import."""
        return tuple(EnvironmentRead(read.name, read.value, read.place) for read in self.report.reads)

    def asked_for_processors(self, kind: int) -> bool:
        """Return whether the program asked, before a kind of snapshot, how many processors there are."""
        return any(contact.kind is Kind.PROCESSORS for contact in self.contacts.get(kind, ()))

    def all_reads(self) -> tuple[EnvironmentRead, ...]:
        """Return the variables that any code read, before or during the import."""
        return (*self.reads(), *self.reads_of_c_code(BASE), *self.reads_of_c_code(FULL))

    def reads_of_c_code(self, kind: int) -> tuple[EnvironmentRead, ...]:
        """Return the variables that C code read, but those that a restored process reads again or the import set."""
        irrelevant = REREAD if kind == BASE else self.report.written_variables
        return tuple(
            EnvironmentRead(name, self._environment.get(name), f"C code of {file}")
            for name, file in self._variables_of_c_code.get(kind, {}).items()
            if name not in irrelevant and file != protocol.EXTENSION
        )

    def _kill(self) -> None:
        """End the program from another thread."""
        if self._process:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process, signal.SIGKILL)

    def _run(self) -> None:
        with tempfile.TemporaryDirectory(prefix="pyl-capture-") as folder:
            starter = Path(folder, "starter")
            build_capture_loader(starter, self._processor)
            Path(folder, "random").write_bytes(self.world.random_file)
            try:
                self._run_in_sandbox(starter)
            except CannotCapture:
                if not capture_sandbox.can_run_in_place(str(self.package)):
                    raise
                with unsandboxed.prepare_package(self.package, starter, self._processor.architecture) as loader:
                    self._run_in_sandbox(starter, loader=str(loader))

    def _run_in_sandbox(self, starter: Path, *, loader: str | None = None) -> None:
        """Run the program to its snapshots; `loader` is where its loader is if this machine is the sandbox."""
        layout, random_file = Layout(self.address), starter.parent / "random"
        command = self._command(layout, loader or capture_sandbox.REAL_LOADER)
        with start_sandboxed(
            self.package,
            starter,
            command,
            self._environment,
            architecture=self._processor.architecture,
            processors=self.world.processors,
            random_file=random_file,
            skipped_ids=_SKIPPED_IDS * self.world.is_other,
            in_place=bool(loader),
        ) as program:
            self._process = program.process
            watchdog = threading.Timer(TIMEOUT, self._kill)
            watchdog.start()
            try:
                self._trace(layout, program)
            finally:
                watchdog.cancel()
            self.output = program.output()

    def _command(self, layout: Layout, loader: str) -> list[str]:
        places = [f"{number:x}" for number in (layout.loader, layout.stack, STACK_BYTES)]
        starter = capture_sandbox.loader_path(self._processor.architecture)
        identity = (*self.world.auxiliary_random, USER, GROUP)
        places += [f"{number:x}" for number in identity]
        program = [starter, "--library-path", APP, f"{APP}/program"]
        return [starter, loader, *places, *program, *self.arguments]

    def _trace(self, layout: Layout, program: SandboxedProgram) -> None:
        program.trace()
        self.tracer = Tracer(
            self._processor,
            layout,
            on_report=self._read_report,
            on_snapshot=self._store_snapshot,
            placement=self.placement,
            world=self.world,
        )
        program.release()
        status = self.tracer.run(program.process)
        self.stamps = frozenset(self.tracer.world_calls.stamps)
        code = os.waitstatus_to_exitcode(status)
        if code != 0 and FULL not in self.snapshots:
            ended = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
            self.reasons.append(f"the program ended with {ended} while it was captured\n{program.output()}".rstrip())

    def _read_report(self, text: bytes) -> None:
        self.report = CaptureReport.from_json(text)
        self.reasons += [
            f"{problem.message} ({problem.place})" if problem.place else problem.message
            for problem in self.report.problems
        ]

    def _store_snapshot(self, thread: int, kind: int, process: TracedProcess) -> None:
        assert self.tracer is not None  # noqa: S101 - it is calling
        breakpoints = self.tracer.breakpoints
        self._variables_of_c_code[kind], breakpoints.variables = breakpoints.variables, {}
        world_calls = self.tracer.world_calls
        contacts = (*world_calls.contacts, *world_calls.redirections(process.leader), *breakpoints.draws)
        self.contacts[kind], world_calls.contacts, breakpoints.draws = contacts, [], []
        if kind not in self._kinds:
            return
        start = self._processor.capture_loader_address
        try:
            self.snapshots[kind] = take_snapshot(
                self._processor,
                thread,
                process,
                capture_loader=(start, start + CAPTURE_LOADER_BYTES),
                thread_starters=self.tracer.thread_starters,
                reopened=self.report.reopened_descriptors,
            )
        except NotCapturable as error:
            holders = self.report.descriptor_holders
            holder = holders.get(error.descriptor) if error.descriptor is not None else None
            place = self.tracer.mapping_calls.shared_places.get(error.address or 0)
            place = place or self.tracer.descriptor_calls.places.get(error.descriptor or 0)
            place = place or self.tracer.signal_places.get(error.pending or 0)
            by = f", held by {holder}" if holder else f" ({place})" if place else ""
            self.reasons.append(f"{error}{by}")
