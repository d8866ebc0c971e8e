"""What the import of the user's modules read and wrote that an image must know: environment, random state."""

from __future__ import annotations

import gc
import json
import os
import sys
import traceback

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from types import FrameType, TracebackType
    from typing import Any


CREDENTIALS = frozenset(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"))
TRACE_ID = "_X_AMZN_TRACE_ID"
_READS_CREDENTIALS_LATE = ("botocore/credentials.py", "pyl/runtime/credentials.py")


class Recorder:
    """While entered, notes every use of `os.environ` and every random generator that seeds itself."""

    def __init__(self) -> None:
        self.time_zone = os.environ.get("TZ")
        self.reads: dict[str, str | None] = {}
        """Value of each variable at its first use; None when it was not set."""
        self.places: dict[str, str] = {}
        """`file:line` of that use."""
        self.listed: str | None = None
        """Where the names of all variables were asked for, if anywhere."""
        self._writes: dict[str, str | None] = {}
        self._random: list[Any] = []
        self._seeded_by_user: set[int] = set()
        self._undo: list[Callable[[], None]] = []

    def __enter__(self) -> Recorder:
        self._watch_environment()
        self._watch_seeds()
        from pyl.runtime import credentials

        self._undo.append(credentials.install())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for undo in reversed(self._undo):
            undo()
        self._undo.clear()
        self._random = _random_objects(self._seeded_by_user)

    def report(self, problems: list[dict[str, str]]) -> bytes:
        """What the capture needs to know, as JSON."""
        return json.dumps(
            {
                "reads": [
                    {"name": name, "value": value, "where": self.places[name]} for name, value in self.reads.items()
                ],
                "listed": self.listed,
                "problems": problems,
                "modules": _module_files(),
            }
        ).encode("utf-8", "surrogateescape")

    def replay(self, environ: MutableMapping[str, str]) -> None:
        """Do again what the import did to the environment."""
        for name, value in self._writes.items():
            if value is None:
                environ.pop(name, None)
            else:
                environ[name] = value

    def reseed(self) -> None:
        """Give every generator that had seeded itself a new seed."""
        for seed in self._random:
            seed()

    def read(self, name: str, value: str | None) -> None:
        """Note the use of a variable; those that botocore will read anew, or that are the call's, do not matter."""
        if name in self._writes or name in self.reads or name == TRACE_ID:
            return
        place = _place()
        if name in CREDENTIALS and place.rpartition(":")[0].endswith(_READS_CREDENTIALS_LATE):
            return
        self.reads[name] = value
        self.places[name] = place

    def wrote(self, name: str, value: str | None) -> None:
        """Note a change of a variable."""
        self._writes[name] = value

    def all_listed(self) -> None:
        """Note that the names of all variables were asked for."""
        self.listed = self.listed or _place()

    def _watch_environment(self) -> None:
        kind = type(os.environ)
        watched = _watching(kind, self)
        for environ in (os.environ, os.environb):
            environ.__class__ = watched

        def undo() -> None:
            for environ in (os.environ, os.environb):
                environ.__class__ = kind

        self._undo.append(undo)

    def _watch_seeds(self) -> None:
        """A generator that the user seeded goes on with its sequence, as it would in a plain start."""
        import random

        kind: Any = random.Random
        original = kind.seed

        def seed(generator: Any, a: Any = None, *arguments: Any, **keywords: Any) -> None:
            original(generator, a, *arguments, **keywords)
            (self._seeded_by_user.discard if a is None else self._seeded_by_user.add)(id(generator))

        kind.seed = seed

        def undo() -> None:
            kind.seed = original

        self._undo.append(undo)


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


_OWN_FILES = (__file__, os.__file__)


def _place() -> str:
    """`file:line` of the nearest frame that is neither this module nor the standard library's plumbing."""
    frame: FrameType | None = sys._getframe(2)  # noqa: SLF001
    while frame is not None:
        file = frame.f_code.co_filename
        if file not in _OWN_FILES and not file.startswith("<frozen"):
            return f"{file}:{frame.f_lineno}"
        frame = frame.f_back
    return "?"


def problem(what: str, error: BaseException) -> dict[str, str]:
    """Why an image cannot hold the user's modules, with the place in their code."""
    frames = traceback.extract_tb(error.__traceback__)
    cause = error.__cause__
    if cause is not None and cause.__traceback__ is not None:
        frames = traceback.extract_tb(cause.__traceback__)
    own = os.path.dirname(__file__)  # noqa: PTH120 - pathlib would end up in every image
    where = next((f"{f.filename}:{f.lineno}" for f in reversed(frames) if not f.filename.startswith(own)), "")
    return {"what": f"{what}: {type(error).__name__}: {error}", "where": where}


def running_threads() -> list[dict[str, str]]:
    """A problem for each thread of Python's besides the main one: no fork and no image takes them along."""
    threading = sys.modules.get("threading")
    if threading is None:
        return []
    frames = sys._current_frames()  # noqa: SLF001
    found = []
    for thread in threading.enumerate():
        if thread is threading.main_thread():
            continue
        target = getattr(thread, "_target", None)
        code = getattr(target, "__code__", None)
        frame = frames.get(thread.ident)
        where = f"{code.co_filename}:{code.co_firstlineno}" if code else ""
        if not where and frame is not None:
            where = f"{frame.f_code.co_filename}:{frame.f_lineno}"
        found.append({"what": f"thread {thread.name!r} runs after the import", "where": where})
    return found


def _module_files() -> dict[str, str]:
    return {
        name: file
        for name, module in sorted(sys.modules.items())
        if isinstance(file := getattr(module, "__file__", None), str)
    }


def _random_objects(seeded_by_user: set[int]) -> list[Callable[[], object]]:
    """The `seed` of every generator in memory whose sequence must not repeat in another instance."""
    import random

    found: list[Callable[[], object]] = []
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        found.append(numpy_random.seed)
    for thing in gc.get_objects():
        own_seed = isinstance(thing, random.Random) and not isinstance(thing, random.SystemRandom)
        if own_seed and id(thing) not in seeded_by_user:
            found.append(thing.seed)
    return found
