"""What the import of the user's modules read and wrote that an image must know: environment, random state."""

from __future__ import annotations

import os
import sys

from pyl.json import codec
from pyl.runtime import import_hooks
from pyl.runtime.restore import credentials, files
from pyl.runtime.restore.generators import Generators, directly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, MutableMapping
    from types import FrameType, TracebackType
    from typing import Any


CREDENTIALS = frozenset(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"))
TRACE_ID = "_X_AMZN_TRACE_ID"
_OWN_FOLDER = __file__.rpartition("runtime/")[0]
_PROXIES = tuple(
    name for kind in ("http", "https", "ftp", "all", "no") for name in (f"{kind}_proxy", f"{kind}_proxy".upper())
)
_LISTS_ALL_FOR: dict[str, tuple[str, ...]] = {
    "urllib/request.py": _PROXIES,
    "botocore/utils.py": ("AWS_EC2_METADATA_V1_DISABLED",),
}
"""Code that goes through all variables for the sake of these."""
_READS_CREDENTIALS_LATE = ("botocore/credentials.py", "pyl/runtime/restore/credentials.py")


class Recorder:
    """While entered, notes every use of `os.environ` and every random generator that seeds itself."""

    def __init__(self, configured: frozenset[str]) -> None:
        """`configured` are the variables that differ from project to project."""
        self.reads: dict[str, str | None] = {}
        """Value of each variable at its first use; None when it was not set."""
        self.places: dict[str, str] = {}
        """`file:line` of that use."""
        self.listed: str | None = None
        """Where the names of all variables were asked for, if anywhere."""
        self.thread_places: dict[int, str] = {}
        self.configured = configured
        self._listing: str | None = None
        self._writes: dict[str, str | None] = {}
        self._random: list[Callable[[], object]] = []
        self._generators = Generators()
        self._files: list[files.PackageFile] = []
        self._undo: list[Callable[[], None]] = []

    def __enter__(self) -> Recorder:
        self._watch_environment()
        self._undo += self._generators.watch()
        self._undo.append(import_hooks.prepare("threading", self._watch_threads))
        self._undo.append(credentials.install())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for undo in reversed(self._undo):
            undo()
        self._undo.clear()
        self._random = self._generators.own_seeds()

    def keep_files(self) -> None:
        """Note which open files can be opened again."""
        self._files = files.opened()

    def report(self, problems: list[dict[str, str]], functions: list[str]) -> bytes:
        """What the capture needs to know, as JSON."""
        return codec.encode(
            {
                "reads": [
                    {"name": name, "value": value, "where": self.places[name]} for name, value in self.reads.items()
                ],
                "listed": self.listed,
                "problems": problems,
                "functions": functions,
                "files": [file.descriptor for file in self._files],
                "written": list(self._writes),
                "holders": self._holders_of_files(),
                "modules": _module_files(),
            }
        )

    def _holders_of_files(self) -> dict[str, str]:
        """By descriptor; none where no descriptor is open but those that will be opened again.

        To look into objects makes CPython give each a dict of its own, which bytecode that has been specialised for its
        attributes does not expect.
        """
        if files.descriptors() == [file.descriptor for file in self._files]:
            return {}
        return {str(descriptor): name for descriptor, name in _holders().items()}

    def mends(self, environ: MutableMapping[str, str]) -> Iterator[Callable[[], object]]:
        """What a restored process has to do again, and the generators that it has to seed anew."""
        if self._files or self._writes:
            yield lambda: self._replay(environ)
        for seed in self._random:
            yield directly(seed)

    def _replay(self, environ: MutableMapping[str, str]) -> None:
        """Open files again, and do again what the import did to the environment."""
        for file in self._files:
            file.reopen()
        for name, value in self._writes.items():
            if value is None:
                environ.pop(name, None)
            else:
                environ[name] = value

    def read(self, name: str, value: str | None) -> None:
        """Note the use of a variable; those that botocore will read anew, or that are the call's, do not matter."""
        if name in self._writes or name in self.reads or name == TRACE_ID:
            return
        place = _place()
        file = place.rpartition(":")[0]
        if file.startswith(_OWN_FOLDER) or (name in CREDENTIALS and file.endswith(_READS_CREDENTIALS_LATE)):
            return
        if place == self._listing and name not in self.configured:
            return  # one of all; `no_other` guards their names, and these are the same in every environment
        self.reads[name] = value
        self.places[name] = place

    def wrote(self, name: str, value: str | None) -> None:
        """Note a change of a variable."""
        self._writes[name] = value

    def all_listed(self) -> None:
        """Note that the names of all variables were asked for."""
        self._listing = place = _place()
        for file, names in _LISTS_ALL_FOR.items():
            if place.rpartition(":")[0].endswith(file):
                for name in names:
                    self.read(name, os.environ.get(name))
                return
        if not place.startswith(_OWN_FOLDER):
            self.listed = self.listed or place

    def _watch_environment(self) -> None:
        kind = type(os.environ)
        watched = _watching(kind, self)
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
            self.thread_places[id(thread)] = _place()
            original(thread)

        kind.start = start

        def undo() -> None:
            kind.start = original

        return undo


def _watching(kind: Any, recorder: Recorder) -> Any:
    class Watched(kind):  # type: ignore[misc]
        def __getitem__(self, key: Any) -> Any:
            name = os.fsdecode(key) if isinstance(key, (str, bytes)) else None
            try:
                value = kind.__getitem__(self, key)
            except KeyError:
                if name is not None:
                    recorder.read(name, None)
                raise
            if name is not None:
                recorder.read(name, os.fsdecode(value))
            return value

        def __setitem__(self, key: Any, value: Any) -> None:
            kind.__setitem__(self, key, value)
            recorder.wrote(os.fsdecode(key), os.fsdecode(value))

        def __delitem__(self, key: Any) -> None:
            kind.__delitem__(self, key)
            recorder.wrote(os.fsdecode(key), None)

        def __iter__(self) -> Any:
            recorder.all_listed()
            return kind.__iter__(self)

        def __len__(self) -> Any:
            recorder.all_listed()
            return kind.__len__(self)

    return Watched


_PLUMBING = ("pyl/runtime/restore/recorder.py", "/os.py", "/_collections_abc.py", "/posixpath.py", "/genericpath.py")
"""Files through which code reads the environment: frozen in CPython, bytecode in a compiled program."""


def _place() -> str:
    """`file:line` of the nearest frame that is neither this module nor the standard library's plumbing."""
    frame: FrameType | None = sys._getframe(2)  # noqa: SLF001
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith("<frozen") and not file.endswith(_PLUMBING):
            return f"{file}:{frame.f_lineno}"
        frame = frame.f_back
    return "?"


def problem(what: str, error: BaseException) -> dict[str, str]:
    """Why an image cannot hold the user's modules, with the place in their code."""
    import traceback

    causes = [error]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) is not None and cause not in causes:
        causes.append(cause)
    places = [
        f"{frame.filename}:{frame.lineno}"
        for cause in reversed(causes)
        for frame in reversed(traceback.extract_tb(cause.__traceback__))
        if _is_packaged(frame.filename)
    ]
    return {"what": f"{what}: {type(error).__name__}: {error}", "where": places[0] if places else ""}


def _is_packaged(file: str) -> bool:
    """Is this a file of the user's, or of a package that they brought?"""
    functions = sys.modules.get("functions")
    site = os.path.dirname(getattr(functions, "__file__", None) or "/")  # noqa: PTH120
    return file.startswith(site + "/") and not file.startswith(_OWN_FOLDER)


def running_threads(places: dict[int, str]) -> list[dict[str, str]]:
    """A problem for each thread of Python's besides the main one: no fork and no image takes them along."""
    threading = sys.modules.get("threading")
    if threading is None:
        return []
    return [
        {"what": f"thread {thread.name!r} runs after the import", "where": places.get(id(thread), "")}
        for thread in threading.enumerate()
        if thread is not threading.main_thread()
    ]


_DEPTH = 3


def _holders() -> dict[int, str]:
    """Which names of packaged modules lead to an open file descriptor."""
    found: dict[int, str] = {}
    for name, module in list(sys.modules.items()):
        if _is_packaged(getattr(module, "__file__", None) or ""):
            for attribute, value in list(vars(module).items()):
                _look(value, f"{name}.{attribute}", found, _DEPTH)
    return found


def _look(value: Any, name: str, found: dict[int, str], depth: int) -> None:
    if isinstance(value, type) or (type(value).__module__ == "builtins" and not hasattr(value, "fileno")):
        return
    try:
        # Of the class, since what an object makes of a name may be a function of the C library, which takes a `FILE *`.
        found.setdefault(type(value).fileno(value), f"{name} ({type(value).__name__})")
    except Exception:  # noqa: BLE001 - anything may stand behind that name
        if depth and not callable(value):
            for attribute, inner in list(getattr(value, "__dict__", {}).items()):
                _look(inner, f"{name}.{attribute}", found, depth - 1)


def _module_files() -> dict[str, str]:
    return {
        name: file
        for name, module in sorted(sys.modules.items())
        if isinstance(file := getattr(module, "__file__", None), str)
    }
