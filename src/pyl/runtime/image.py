"""Where a captured process stops, and what a restored one mends before it serves.

In a native package `checkpoint` stands between the loading of pyl's runtime and the serving of events. In a plain
start it asks one question of a kernel that does not know it, and returns. At capture it stops the
process twice, before and after the import of the user's modules; each time a forked child is what is stored.
"""

from __future__ import annotations

import gc
import os
import sys

from pyl import hooks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any, NoReturn

    from pyl.runtime.recorder import Recorder
    from pyl.runtime.resolve import Functions

BASE, FULL = 1, 2
WARM_UP_VARIABLE = "PYL_WARM_UP"
"""At capture: JSON, `{function name: event}`; each is called once before the image is taken."""
CONFIGURED_VARIABLE = "PYL_CONFIGURED"
"""At capture: the names of the project's own variables."""


def checkpoint(functions: Functions) -> Callable[[], None] | None:
    """Return at once in a plain start, and in a restored process; never return in the capture's own.

    The process of a full image has its environment, and is to be mended by the returned function before it serves.
    """
    try:
        from pyl.runtime import _native  # type: ignore[attr-defined]  # made by the native build
    except ImportError:
        return None
    return _capture(functions, _native) if _native.ask() else None


def _capture(functions: Functions, native: ModuleType) -> Callable[[], None] | None:
    warm_up = os.environ.pop(WARM_UP_VARIABLE, "{}")
    configured = frozenset(os.environ.pop(CONFIGURED_VARIABLE, "").split())
    restored = _stop(native, BASE)
    if restored is not None:
        _put_environment(restored)
        return None
    from pyl.runtime.recorder import Recorder

    recorder = Recorder(configured)
    with recorder:
        problems = _load(functions, warm_up)
        if not problems:
            problems = _before_image(recorder)
    native.tell(recorder.report(problems, sorted(functions.table)))
    if problems:
        _end()
    restored = _stop(native, FULL)
    if restored is None:
        _end()
    _put_environment(restored)
    return lambda: _repair(recorder)


def _load(functions: Functions, warm_up: str) -> list[dict[str, str]]:
    from pyl.runtime.recorder import problem

    found = [problem(f"function {name}", error) for name, error in functions.load_all().items()]
    if not found and warm_up != "{}":
        from pyl.runtime import warmup

        found = warmup.run(functions, warm_up)
    return found


def _before_image(recorder: Recorder) -> list[dict[str, str]]:
    from pyl.runtime.recorder import problem, running_threads

    try:
        hooks.run_before_image()
    except Exception as error:  # noqa: BLE001 - the user's code may raise anything
        return [problem("a before_image hook", error)]
    recorder.keep_files()
    _follow_thread_id()
    return running_threads(recorder.thread_places)


def _follow_thread_id() -> None:
    """Let the main thread's `native_id` be that of the process that it is asked in, not the captured one."""
    if (threading := sys.modules.get("threading")) is not None:
        threading._MainThread.native_id = property(lambda _: os.getpid())  # noqa: SLF001


def _stop(native: ModuleType, kind: int) -> list[bytes] | None:
    """Store a child of this process; its new environment in a restored process, None in this one."""
    _flush()
    gc.collect()
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return None
    # What was garbage in the parent is gone; what is left is shared by all that will be restored, and is
    # never looked at by the collector again, so its pages are not written.
    gc.collect()
    gc.freeze()
    native.install_nursery()
    restored: tuple[int, list[bytes]] = native.stop(kind)
    return restored[1]


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()


def _end() -> NoReturn:
    os._exit(0)


def _put_environment(entries: list[bytes]) -> None:
    """Let `os.environ` be the environment of the restored process; the C library's already is."""
    data = os.environ._data  # type: ignore[attr-defined]  # noqa: SLF001 - one dict behind environ and environb
    data.clear()
    for entry in entries:
        name, separator, value = entry.partition(b"=")
        if separator:
            data.setdefault(name, value)


def _repair(recorder: Recorder) -> None:
    """Mend, in this order: environment, time zone, random sources, names, then the hooks."""
    recorder.replay(os.environ)
    modules: dict[str, Any] = sys.modules
    if recorder.time_zone != os.environ.get("TZ"):
        import time

        time.tzset()
    recorder.reseed()
    if (tempfile := modules.get("tempfile")) is not None:
        tempfile._name_sequence = None  # noqa: SLF001 - the generator of names, seeded by the old process
    if (uuid := modules.get("uuid")) is not None:
        uuid._node = None  # noqa: SLF001 - the build machine's, or random
    if (process := modules.get("multiprocessing.process")) is not None:
        process._current_process._config["authkey"] = process.AuthenticationString(os.urandom(32))  # noqa: SLF001
    hooks.run_after_restore()
