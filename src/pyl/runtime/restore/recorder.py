"""Records what the import of the user's modules reads and changes: environment, files, threads, random state.

The build guards the process image by it, and a restored process repeats what must be done anew.
"""

from __future__ import annotations

import os
import sys

from pyl.lambda_environment import CREDENTIALS
from pyl.runtime import import_hooks
from pyl.runtime.restore import child_processes, credentials, descriptor_holders, files, key_generation
from pyl.runtime.restore.capture_report import CaptureReport, Problem, VariableRead
from pyl.runtime.restore.descriptor_holders import is_packaged
from pyl.runtime.restore.fork_hooks import ForkHooks
from pyl.runtime.restore.process_state import ProcessState
from pyl.runtime.restore.random_generators import RandomGenerators, reseeding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, MutableMapping
    from types import FrameType, TracebackType
    from typing import Any

_OWN_FOLDER = __file__.rpartition("runtime/")[0]
_PROXIES = tuple(
    name for kind in ("http", "https", "ftp", "all", "no") for name in (f"{kind}_proxy", f"{kind}_proxy".upper())
)
_LISTS_ALL_FOR: dict[str, tuple[str, ...]] = {
    "urllib/request.py": _PROXIES,
    "botocore/utils.py": ("AWS_EC2_METADATA_V1_DISABLED",),
}
"""Standard code that lists all variables, and the variables that it really uses."""
_READS_CREDENTIALS_LATE = ("botocore/credentials.py", "pyl/runtime/restore/credentials.py")


class Recorder:
    """Context manager that records each use of `os.environ`, each started thread, and each generator's seeding."""

    def __init__(self, configured: frozenset[str]) -> None:
        """Prepare a recording.

        Args:
            configured: Names of the variables that the project itself configures.
        """
        self.reads: dict[str, VariableRead] = {}
        """First read of each variable, by name."""
        self.listing_place: str | None = None
        """`file:line` of the first code that asked for the names of all variables."""
        self.thread_places: dict[int, str] = {}
        """`file:line` at which each thread was started, by `id()` of the thread."""
        self.configured = configured
        self._latest_listing: str | None = None
        self._writes: dict[str, str | None] = {}
        """Last value that was set of each variable; `None` when it was deleted."""
        self._reseedings: list[Callable[[], object]] = []
        self._generators = RandomGenerators(lambda: _packaged_place(3))
        self._files: list[files.OpenFile] = []
        self._fork_hooks = ForkHooks()
        self._kept: list[Problem] = []
        self._process_state = ProcessState()
        self._changes: list[Callable[[], object]] = []
        self._undo: list[Callable[[], None]] = []

    def __enter__(self) -> Recorder:
        self._watch_environment()
        self._undo += self._generators.watch()
        self._undo.append(import_hooks.after_import("threading", self._watch_threads))
        self._undo += child_processes.watch(lambda: self._record_kept("what a child process did at import"))
        self._undo.append(credentials.install())
        self._undo.append(self._fork_hooks.watch())
        self._undo += key_generation.watch(self.record_key)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for undo in reversed(self._undo):
            undo()
        self._undo.clear()
        for place in self._generators.find_used():
            what = "numbers that were drawn at import from a generator of numpy that seeded itself"
            self._kept.append(Problem(what, place))
        self._reseedings = self._generators.find_self_seeded()

    def forget_reads(self) -> None:
        """Drop the values of variables: the image shall not hold them for the recorder's sake."""
        self.reads.clear()

    def record_key(self, what: str) -> None:
        """Record that code generated a key, which every instance would have."""
        self._record_kept(f"{what} that was generated at import")

    def _record_kept(self, what: str) -> None:
        self._kept.append(Problem(what, _packaged_place() or _place()))

    def record_changes(self) -> list[Problem]:
        """Record which open files a restored process can open again, and what else it has to change again.

        Returns:
            What cannot be brought back.
        """
        self._files = files.find_reopenable()
        self._changes = list(self._process_state.restore_actions(set(self._writes)))
        problems = list(self._process_state.problems)
        del self._process_state  # it holds the capture's environment
        return problems

    def report(self, problems: list[Problem]) -> bytes:
        """Return the encoded `CaptureReport` of this recording."""
        return CaptureReport(
            reads=list(self.reads.values()),
            listing_place=self.listing_place,
            written_variables=list(self._writes),
            reopened_descriptors=[file.descriptor for file in self._files],
            descriptor_holders=self._find_descriptor_holders(),
            module_files=_module_files(),
            kept=self._kept,
            problems=problems,
        ).to_json()

    def _find_descriptor_holders(self) -> dict[int, str]:
        """Return the holders of open descriptors, or nothing when every open descriptor can be opened again.

        Looking into objects makes CPython create a `__dict__` for each, which bytecode that was specialised for its
        attributes does not expect. So it is done only when there is something to report.
        """
        if files.open_descriptors() == [file.descriptor for file in self._files]:
            return {}
        return descriptor_holders.find()

    def restore_actions(self, environ: MutableMapping[str, str]) -> Iterator[Callable[[], object]]:
        """Yield what a restored process must do before it serves: replay files and variables, seed generators."""
        packaged = [file for file in self._files if not file.is_temporary]
        if packaged or self._writes:
            yield lambda: self._replay(packaged, environ)
        yield from self._changes
        yield from (file.reopen for file in self._files if file.is_temporary)
        yield from self._fork_hooks.restore_actions()
        for seed in self._reseedings:
            yield reseeding(seed)

    def _replay(self, opened: list[files.OpenFile], environ: MutableMapping[str, str]) -> None:
        """Open files again, and repeat the import's changes of the environment."""
        for file in opened:
            file.reopen()
        for name, value in self._writes.items():
            if value is None:
                environ.pop(name, None)
            else:
                environ[name] = value

    def record_read(self, name: str, value: str | None) -> None:
        """Record the first read of a variable.

        Not recorded are variables that the import itself has set, and credentials that botocore reads again later.
        """
        if name in self._writes or name in self.reads:
            return
        place = _place()
        file = place.rpartition(":")[0]
        if file.startswith(_OWN_FOLDER) or (name in CREDENTIALS and file.endswith(_READS_CREDENTIALS_LATE)):
            return
        if place == self._latest_listing and name not in self.configured:
            return  # part of a listing: `no_other_guard` covers the names, and the values are the same everywhere
        self.reads[name] = VariableRead(name, value, _packaged_place() or place)

    def record_write(self, name: str, value: str | None) -> None:
        """Record that a variable was set, or deleted (`None`)."""
        self._writes[name] = value

    def record_listing(self) -> None:
        """Record that the names of all variables were asked for."""
        self._latest_listing = place = _place()
        for file, names in _LISTS_ALL_FOR.items():
            if place.rpartition(":")[0].endswith(file):
                for name in names:
                    self.record_read(name, os.environ.get(name))
                return
        if not place.startswith(_OWN_FOLDER):
            self.listing_place = self.listing_place or _packaged_place() or place

    def _watch_environment(self) -> None:
        kind = type(os.environ)
        watched = _watched_class(kind, self)
        for environ in (os.environ, os.environb):
            environ.__class__ = watched

        def undo() -> None:
            for environ in (os.environ, os.environb):
                environ.__class__ = kind

        self._undo.append(undo)

    def _watch_threads(self, module: Any) -> Callable[[], None]:
        kind = module.Thread
        original = kind.start

        def start(thread: Any) -> None:
            self.thread_places[id(thread)] = _packaged_place() or _place()
            original(thread)

        kind.start = start

        def undo() -> None:
            kind.start = original

        return undo


def _watched_class(kind: Any, recorder: Recorder) -> Any:
    class Watched(kind):  # type: ignore[misc]
        def __getitem__(self, key: Any) -> Any:
            name = os.fsdecode(key) if isinstance(key, (str, bytes)) else None
            try:
                value = kind.__getitem__(self, key)
            except KeyError:
                if name is not None:
                    recorder.record_read(name, None)
                raise
            if name is not None:
                recorder.record_read(name, os.fsdecode(value))
            return value

        def __setitem__(self, key: Any, value: Any) -> None:
            kind.__setitem__(self, key, value)
            recorder.record_write(os.fsdecode(key), os.fsdecode(value))

        def __delitem__(self, key: Any) -> None:
            kind.__delitem__(self, key)
            recorder.record_write(os.fsdecode(key), None)

        def __iter__(self) -> Any:
            recorder.record_listing()
            return kind.__iter__(self)

        def __repr__(self) -> str:
            recorder.record_listing()
            return str(kind.__repr__(self))

        def __len__(self) -> Any:
            recorder.record_listing()
            return kind.__len__(self)

    return Watched


_PLUMBING = (
    "pyl/runtime/restore/recorder.py",
    "pyl/runtime/restore/child_processes.py",
    "pyl/runtime/restore/key_generation.py",
    "pyl/runtime/restore/posix_environment.py",
    "/hazmat/primitives/asymmetric/rsa.py",
    "/hazmat/primitives/asymmetric/ec.py",
    "/os.py",
    "/_collections_abc.py",
    "/collections/__init__.py",
    "/subprocess.py",
    "/posixpath.py",
    "/genericpath.py",
)
"""Files through which code reads the environment: frozen in CPython, bytecode in a compiled program."""


def _place() -> str:
    """Return `file:line` of the nearest frame outside of this module and the standard library's plumbing."""
    frame: FrameType | None = sys._getframe(2)  # noqa: SLF001
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith("<frozen") and not file.endswith(_PLUMBING):
            return f"{file}:{frame.f_lineno}"
        frame = frame.f_back
    return "?"


def _packaged_place(depth: int = 2) -> str:
    """Return `file:line` of the nearest frame in the project or its dependencies; empty if there is none.

    Args:
        depth: How many frames to go up before.
    """
    frame: FrameType | None = sys._getframe(depth)  # noqa: SLF001
    while frame is not None:
        if is_packaged(frame.f_code.co_filename):
            return f"{frame.f_code.co_filename}:{frame.f_lineno}"
        frame = frame.f_back
    return ""


def problem(what: str, error: BaseException) -> Problem:
    """Describe an exception that prevents an image, with the place in the user's code.

    Args:
        what: What raised it, as the subject of the message: `function orders`.
        error: The exception.
    """
    import traceback

    causes = [error]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) is not None and cause not in causes:
        causes.append(cause)
    places = [
        f"{frame.filename}:{frame.lineno}"
        for cause in reversed(causes)
        for frame in reversed(traceback.extract_tb(cause.__traceback__))
        if is_packaged(frame.filename)
    ]
    return Problem(f"{what}: {type(error).__name__}: {error}", places[0] if places else "")


def running_threads(places: dict[int, str]) -> list[Problem]:
    """Return a problem for each Python thread besides the main one: neither a fork nor an image keeps threads.

    Args:
        places: `Recorder.thread_places`.
    """
    threading = sys.modules.get("threading")
    if threading is None:
        return []
    return [
        Problem(f"thread {thread.name!r} runs after the import", places.get(id(thread), ""))
        for thread in threading.enumerate()
        if thread is not threading.main_thread()
    ]


def _module_files() -> dict[str, str]:
    return {
        name: file
        for name, module in sorted(sys.modules.items())
        if isinstance(file := getattr(module, "__file__", None), str)
    }
