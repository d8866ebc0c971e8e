"""Where a captured process stops, and what a restored one mends before it serves.

In a native package `checkpoint` stands between the loading of pyl's runtime and the serving of events. In a plain
start it asks one question of a kernel that does not know it, and returns. At capture it stops the
process twice, before and after the import of the user's modules; each time a forked child is what is stored.
"""

from __future__ import annotations

import gc
import os
import sys
import time

from pyl import hooks
from pyl.runtime.logging import logs
from pyl.runtime.loop import python_loop
from pyl.runtime.restore import hook_scoping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any, NoReturn

    from pyl.runtime.handlers.binding import Functions
    from pyl.runtime.restore.capture_report import Problem
    from pyl.runtime.restore.recorder import Recorder

BASE, FULL = 1, 2
WARM_UP_VARIABLE = "PYL_WARM_UP"
"""At capture: JSON, `{function name: event}`; each is called before the image is taken, as `warmup` does it."""
REHEARSAL = "pyl rehearsal"
"""A function of pyl's own in every image. No `_HANDLER` of Lambda's holds a space."""
CONFIGURED_VARIABLE = "PYL_CONFIGURED"
"""At capture: the names of the project's own variables."""
HASH_SEED_VARIABLE = "PYTHONHASHSEED"
"""At capture: what Python itself takes it for."""
FUNCTIONS_VARIABLE = "PYL_FUNCTIONS"
"""At capture: the functions to load, when those of one environment are captured apart."""
_UNKNOWN_LOADER = "the C library's loader is no glibc that pyl knows; build in a container (--builder container)"


def checkpoint(functions: Functions) -> Callable[[], None] | None:
    """Return at once in a plain start, and in a restored process that does not serve from C.

    Never return in the capture's own process. The process of a full image has its environment, and is to be mended
    by the returned function before it serves.
    """
    try:
        from pyl.runtime import _native  # type: ignore[attr-defined]  # made by the native build
    except ImportError:
        return None
    return _capture(functions, _native) if _native.ask() else None


def _capture(functions: Functions, native: ModuleType) -> Callable[[], None] | None:
    warm_up = os.environ.pop(WARM_UP_VARIABLE, "{}")
    configured = frozenset(os.environ.pop(CONFIGURED_VARIABLE, "").split())
    names = os.environ.pop(FUNCTIONS_VARIABLE, "").split() or list(functions.table)
    os.environ.pop(HASH_SEED_VARIABLE, None)
    if not native.prepare_libraries():
        from pyl.runtime.restore.capture_report import CaptureReport, Problem

        native.tell(CaptureReport(problems=[Problem(_UNKNOWN_LOADER)]).to_json())
        _end()
    if _stop(native, BASE, _plan((), {})):
        return None
    from pyl.runtime.restore.recorder import Recorder

    recorder = Recorder(configured)
    with recorder, _Phases(native):
        problems = _load(functions, names, warm_up)
        if not problems:
            problems = _before_image(recorder)
    native.tell(recorder.report(problems))
    if problems:
        _end()
    plans = _plans(functions, names)
    native.rehearse(plans[REHEARSAL])
    if hooks.has_before_shutdown():
        plans = {}  # what they need is prepared in Python
    mends = _mends(functions, recorder)
    if not _stop(native, FULL, _plan(mends, plans)):
        _end()
    return _mending(mends)


class _Phases:
    """While entered, tells the heap which module is imported: so objects are known again in the next capture."""

    def __init__(self, native: ModuleType) -> None:
        self._native = native
        self._times: dict[str, int] = {}

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> None:
        self._times[name] = times = self._times.get(name, 0) + 1
        self._native.phase(f"{name} {times}")

    def __enter__(self) -> None:
        sys.meta_path.insert(0, self)

    def __exit__(self, *_exception: object) -> None:
        sys.meta_path.remove(self)
        self._native.phase("")


def _load(functions: Functions, names: list[str], warm_up: str) -> list[Problem]:
    from pyl.runtime.restore.recorder import problem

    found = [problem(f"function {name}", error) for name, error in functions.load_all(names).items()]
    if not found and warm_up != "{}":
        from pyl.runtime.restore import warmup

        found = warmup.run(functions, warm_up)
    return found


def _before_image(recorder: Recorder) -> list[Problem]:
    from pyl.runtime.restore.recorder import problem, running_threads

    try:
        hooks.run_before_image()
    except Exception as error:  # noqa: BLE001 - the user's code may raise anything
        return [problem("a before_image hook", error)]
    recorder.record_open_files()
    _follow_thread_id()
    return running_threads(recorder.thread_places)


def _follow_thread_id() -> None:
    """Let the main thread's `native_id` be that of the process that it is asked in, not the captured one."""
    if (threading := sys.modules.get("threading")) is not None:
        threading._MainThread.native_id = property(lambda _: os.getpid())  # noqa: SLF001


def _stop(native: ModuleType, kind: int, plan: tuple[Any, ...]) -> bool:
    """Store a child of this process; False in this one, True in a restored one for which `plan` was not enough."""
    _flush()
    gc.collect()
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return False
    # What was garbage in the parent is gone; what is left is shared by all that will be restored, and is
    # never looked at by the collector again, so its pages are not written.
    gc.collect()
    gc.freeze()
    # An entry of the type cache that gives way to another one writes to the name that it held, wherever that lies:
    # there were some thirty such names in a cold start, each on a page of its own.
    sys._clear_type_cache()  # noqa: SLF001 - public, and documented
    native.stop(kind, plan)
    return True


def _plan(mends: tuple[Callable[[], object], ...], plans: dict[str, tuple[Any, ...]]) -> tuple[Any, ...]:
    """What a restored process does before it serves; `resume.c` names each item."""
    return os.environ, os.environb, time.tzset, mends, python_loop.fail, logs.configure, plans


def _plans(functions: Functions, names: list[str]) -> dict[str, tuple[Any, ...]]:
    """Each function's plan for the loop in C."""
    from pyl.runtime.handlers.binding import Binding
    from pyl.runtime.loop.native_loop import NativeServer

    bindings = {name: functions.load(name) for name in names}
    bindings[REHEARSAL] = Binding(_echo, event_first=False, converter=None)
    return {name: NativeServer(None, binding).plan() for name, binding in bindings.items()}


def _echo(_context: object, event: object) -> object:
    """What the build calls where it may not call the user's function, to see what a call touches."""
    return event


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()


def _end() -> NoReturn:
    os._exit(0)


def _mends(functions: Functions, recorder: Recorder) -> tuple[Callable[[], object], ...]:
    """What mends, in this order: the hooks that are this function's, files and the environment's changes, random
    sources, names, then the hooks.

    Each is there only where something is broken: a restored process shall not have to look.
    """
    modules: dict[str, Any] = sys.modules
    if (tempfile := modules.get("tempfile")) is not None:
        tempfile._name_sequence = None  # noqa: SLF001 - a generator of names; each process makes its own
    if (uuid := modules.get("uuid")) is not None:
        uuid._node = None  # noqa: SLF001 - the build machine's, or random
    process = modules.get("multiprocessing.process")
    has_hooks = hooks.has_hooks_after_image()

    def choose_hooks() -> None:
        hook_scoping.drop_hooks_of_other_functions(functions.table, os.environ.get("_HANDLER"))

    def renew_key() -> None:
        assert process is not None  # noqa: S101 - listed only then
        process._current_process._config["authkey"] = process.AuthenticationString(os.urandom(32))  # noqa: SLF001

    return (
        *([choose_hooks] if has_hooks else []),
        *recorder.restore_actions(os.environ),
        *([renew_key] if process is not None else []),
        *([hooks.run_after_restore] if has_hooks else []),
    )


def _mending(mends: tuple[Callable[[], object], ...]) -> Callable[[], None]:
    """All of them, for a process that does not go on in C."""

    def mend() -> None:
        try:
            for each in mends:
                each()
        except Exception as error:  # noqa: BLE001 - hooks of the user's code may raise anything
            python_loop.fail(error)

    return mend
