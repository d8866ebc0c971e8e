"""Where a captured process stops, and what a restored one does before it serves.

In a native package `checkpoint` is called between the loading of pyl's runtime and the serving of events. In a plain
start it makes one system call that the kernel does not know, and returns. At capture it stops the process twice, before
and after the import of the user's modules; each time a forked child is stored.

`_native` has the names and numbers that the capture knows, too; `pyl.image.capture.protocol` declares them.
"""

from __future__ import annotations

import gc
import os
import sys
import time

from pyl import hooks
from pyl.runtime.logging import logs
from pyl.runtime.loop import python_loop
from pyl.runtime.restore import hook_scoping, instance_state, posix_environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any, NoReturn

    from pyl.runtime.handlers.binding import Functions
    from pyl.runtime.restore.capture_report import Problem
    from pyl.runtime.restore.recorder import Recorder

HASH_SEED_VARIABLE = "PYTHONHASHSEED"
"""At capture it is set, to what Python itself expects."""
_UNKNOWN_LOADER = "the C library's loader is no glibc that pyl knows; build in a container (--builder container)"


def checkpoint(functions: Functions) -> Callable[[], None] | None:
    """Return at once in a plain start, and in a restored process that does not serve from C.

    Never return in the capture's own process. The process of a full image has its environment, and has to call the
    returned function before it serves.
    """
    try:
        from pyl.runtime import _native  # type: ignore[attr-defined]  # made by the native build
    except ImportError:
        return None
    return _capture(functions, _native) if _native.is_captured() else None


def _capture(functions: Functions, native: ModuleType) -> Callable[[], None] | None:
    warm_up = os.environ.pop(native.WARM_UP_VARIABLE, "{}")
    configured = frozenset(os.environ.pop(native.CONFIGURED_VARIABLE, "").split())
    names = os.environ.pop(native.FUNCTIONS_VARIABLE, "").split() or list(functions.table)
    os.environ.pop(HASH_SEED_VARIABLE, None)
    if not native.prepare_libraries():
        from pyl.runtime.restore.capture_report import CaptureReport, Problem

        native.report(CaptureReport(problems=[Problem(_UNKNOWN_LOADER)]).to_json())
        _end()
    posix_environment.install()
    if _take_snapshot(native, native.BASE, (), {}):
        return None
    from pyl.runtime.restore.recorder import Recorder

    native.watch_places(True)
    recorder = Recorder(configured)
    with recorder, _Phases(native):
        problems = _load(functions, names, warm_up)
        if not problems:
            problems = _before_image(recorder)
    native.watch_places(False)
    native.renew_generators()
    native.report(recorder.report(problems))
    recorder.forget_reads()
    if problems:
        _end()
    call_plans = _call_plans(functions, names, native)
    native.rehearse(call_plans[native.REHEARSAL])
    if hooks.has_before_shutdown():
        call_plans = {}  # what they need is prepared in Python
    actions = _restore_actions(functions, recorder)
    if not _take_snapshot(native, native.FULL, actions, call_plans):
        _end()
    return _runner(actions)


class _Phases:
    """While entered, names the imported module for the heap, which so knows objects again in the next capture."""

    def __init__(self, native: ModuleType) -> None:
        self._native = native
        self._times: dict[str, int] = {}

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> None:
        self._times[name] = times = self._times.get(name, 0) + 1
        self._native.set_phase(f"{name} {times}")

    def __enter__(self) -> None:
        sys.meta_path.insert(0, self)

    def __exit__(self, *_exception: object) -> None:
        sys.meta_path.remove(self)
        self._native.set_phase("")


def _load(functions: Functions, names: list[str], warm_up: str) -> list[Problem]:
    from pyl.runtime.restore.recorder import problem

    problems = [problem(f"function {name}", error) for name, error in functions.load_all(names).items()]
    if not problems and warm_up != "{}":
        from pyl.runtime.restore import warmup

        problems = warmup.run(functions, warm_up)
    return problems


def _before_image(recorder: Recorder) -> list[Problem]:
    from pyl.runtime.restore.recorder import problem, running_threads

    try:
        hooks.run_before_image()
    except Exception as error:  # noqa: BLE001 - the user's code may raise anything
        return [problem("a before_image hook", error)]
    instance_state.forget()
    _forget_authentication_key()
    _follow_thread_id()
    return [*recorder.record_changes(), *running_threads(recorder.thread_places)]


def _forget_authentication_key() -> None:
    """Let all captures have the same key in its place: `_restore_actions` makes a new one."""
    if (process := sys.modules.get("multiprocessing.process")) is not None:
        process._current_process._config["authkey"] = process.AuthenticationString(bytes(32))  # noqa: SLF001


def _follow_thread_id() -> None:
    """Let the main thread's `native_id` be that of the process that it is asked in, not the captured one."""
    if (threading := sys.modules.get("threading")) is not None:
        threading._MainThread.native_id = property(lambda _: os.getpid())  # noqa: SLF001


def _take_snapshot(
    native: ModuleType, kind: int, actions: tuple[Callable[[], object], ...], call_plans: dict[str, tuple[Any, ...]]
) -> bool:
    """Have a child of this process stored.

    Returns:
        False in this process, True in a restored one that has to go on in Python.
    """
    plan = native.restore_plan(
        environ=os.environ,
        environb=os.environb,
        reset_time_zone=time.tzset,
        actions=actions,
        fail=python_loop.fail,
        configure_log=logs.configure,
        call_plans=call_plans,
    )
    _flush()
    gc.collect()
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return False
    # A restored process has another environment. What the image still holds of this one, somebody has kept.
    os.environ._data.clear()  # type: ignore[attr-defined]  # noqa: SLF001
    # What was garbage in the parent is gone. All that will be restored share the rest, and the collector never looks at
    # it again, so its pages are not written.
    gc.collect()
    gc.freeze()
    # An entry of the type cache that gives way to another one writes to the name that it held, wherever that lies:
    # there were some thirty such names in a cold start, each on a page of its own.
    sys._clear_type_cache()  # noqa: SLF001 - public, and documented
    native.snapshot(kind, plan)
    return True


def _call_plans(functions: Functions, names: list[str], native: ModuleType) -> dict[str, tuple[Any, ...]]:
    """Return each function's plan for the loop in C."""
    from pyl.runtime.handlers.binding import Binding
    from pyl.runtime.loop.native_loop import NativeServer

    bindings = {name: functions.load(name) for name in names}
    bindings[native.REHEARSAL] = Binding(_echo, event_first=False, converter=None)
    return {name: NativeServer(None, binding).plan(native) for name, binding in bindings.items()}


def _echo(_context: object, event: object) -> object:
    """Stand in for the user's functions where the build may not call them, to record what a call touches."""
    return event


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()


def _end() -> NoReturn:
    os._exit(0)


def _restore_actions(functions: Functions, recorder: Recorder) -> tuple[Callable[[], object], ...]:
    """Return what a restored process calls: choice of hooks, files, environment, random sources, then hooks.

    Each is there only if it is needed, so that a restored process does not have to check.
    """
    modules: dict[str, Any] = sys.modules
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


def _runner(actions: tuple[Callable[[], object], ...]) -> Callable[[], None]:
    """Return a function that runs all actions, for a process that does not go on in C."""

    def run() -> None:
        try:
            for action in actions:
                action()
        except Exception as error:  # noqa: BLE001 - hooks of the user's code may raise anything
            python_loop.fail(error)

    return run
