"""What the import changes of its process outside of memory, and a restored process changes again.

That is the umask, resource limits, timers, priority, variables set behind `os.environ`, and what was written to /tmp.
"""

from __future__ import annotations

import os
import stat
import sys
import time

from pyl.lambda_environment import TEMPORARY
from pyl.runtime.restore.capture_report import Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

_LARGEST_CONTENT = 32 << 20
"""Bytes in /tmp that an image takes along."""
_TIMERS = (0, 1, 2)
"""ITIMER_REAL, ITIMER_VIRTUAL and ITIMER_PROF."""


class ProcessState:
    """The state of this process when it was made, to find later changes."""

    def __init__(self) -> None:
        """Take down the present state."""
        self._umask = _umask()
        self._limits = _limits()
        self._priority = os.getpriority(os.PRIO_PROCESS, 0)
        self._handed_down = _c_environment()
        self._inheritable = _inheritable_streams()
        self._began = time.time()
        self.problems: list[Problem] = []
        """What cannot be brought back."""

    def restore_actions(self, written: set[str]) -> Iterator[Callable[[], object]]:
        """Yield what brings the changes back, for a process that was restored from an image.

        Args:
            written: Names of variables whose changes are repeated by others.
        """
        entries = list(self._read_temporary())
        if entries:
            yield lambda: _write_all(entries)
        directory = os.getcwd()
        if directory.startswith(f"{TEMPORARY}/"):  # the launcher has not found it yet
            yield lambda: os.chdir(directory)
        mask = _umask()
        if mask != self._umask:
            yield lambda: os.umask(mask)
        yield from self._limit_actions()
        steps = os.getpriority(os.PRIO_PROCESS, 0) - self._priority
        if steps:
            yield lambda: os.nice(steps)
        yield from _timer_actions()
        for stream, is_inheritable in _inheritable_streams().items():
            if self._inheritable.get(stream) is not is_inheritable:
                yield _inheritance_action(stream, inheritable=is_inheritable)
        now = _c_environment()
        for name in {*now, *self._handed_down} - written:
            if now.get(name) != self._handed_down.get(name):
                yield _environment_action(name, now.get(name))

    def _limit_actions(self) -> Iterator[Callable[[], object]]:
        resource: Any = sys.modules.get("resource")
        if resource is None:  # nothing else sets them
            return
        for name, values in _limits().items():
            number = getattr(resource, _LIMIT_NAMES.get(name, ""), None)
            if values != self._limits.get(name, values) and number is not None:
                yield _limit_action(resource.setrlimit, number, resource.getrlimit(number))

    def _read_temporary(self) -> Iterator[TemporaryEntry]:
        """Yield what is in /tmp, folders before their content."""
        remaining = _LARGEST_CONTENT
        for folder, folders, files in os.walk(TEMPORARY):
            for name in (*folders, *files):
                entry = TemporaryEntry(f"{folder}/{name}", self._began)
                remaining -= len(entry.content)
                if remaining < 0:
                    self.problems.append(Problem(f"the import wrote more than {_LARGEST_CONTENT >> 20} MB to /tmp"))
                    return
                if not entry.can_be_made:
                    self.problems.append(Problem(f"the import made {entry.path}, of a kind that cannot be made again"))
                yield entry


class TemporaryEntry:
    """A file, folder, symbolic link or named pipe in /tmp.

    Attributes:
        path: Its path.
        content: The file's bytes, or the link's target; else empty.
        can_be_made: Whether it is of a kind that can be made again.
    """

    def __init__(self, path: str, began: float) -> None:
        """Read it. Times before `began`, in seconds since the epoch, are those that a program gave it."""
        self.path = path
        status = os.lstat(path)
        self._mode = status.st_mode
        self.content = b""
        self._times = (status.st_atime_ns, status.st_mtime_ns) if status.st_mtime < began else None
        kinds = (stat.S_ISDIR, stat.S_ISLNK, stat.S_ISREG, stat.S_ISFIFO)
        self.can_be_made = any(is_kind(self._mode) for is_kind in kinds)
        if stat.S_ISLNK(self._mode):
            self.content = os.fsencode(os.readlink(path))
        elif stat.S_ISREG(self._mode):
            descriptor = os.open(path, os.O_RDONLY)
            try:
                self.content = os.read(descriptor, min(status.st_size, _LARGEST_CONTENT + 1))
            finally:
                os.close(descriptor)

    def write(self) -> None:
        """Make it again; what is there already stays."""
        try:
            if stat.S_ISDIR(self._mode):
                os.mkdir(self.path)
            elif stat.S_ISLNK(self._mode):
                os.symlink(os.fsdecode(self.content), self.path)
                return
            elif stat.S_ISFIFO(self._mode):
                os.mkfifo(self.path)
            else:
                descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
                try:
                    os.write(descriptor, self.content)
                finally:
                    os.close(descriptor)
        except FileExistsError:
            return
        os.chmod(self.path, stat.S_IMODE(self._mode))
        if self._times is not None:
            os.utime(self.path, ns=self._times)


def _inheritable_streams() -> dict[int, bool]:
    """Return, for each standard stream that is open, whether children inherit it."""
    inheritable = {}
    for stream in range(3):
        try:
            inheritable[stream] = os.get_inheritable(stream)
        except OSError:  # it is closed
            continue
    return inheritable


def _inheritance_action(stream: int, *, inheritable: bool) -> Callable[[], object]:
    return lambda: os.set_inheritable(stream, inheritable)


def _write_all(entries: list[TemporaryEntry]) -> None:
    for entry in entries:
        entry.write()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


_LIMIT_NAMES = {
    "Max cpu time": "RLIMIT_CPU",
    "Max file size": "RLIMIT_FSIZE",
    "Max data size": "RLIMIT_DATA",
    "Max stack size": "RLIMIT_STACK",
    "Max core file size": "RLIMIT_CORE",
    "Max resident set": "RLIMIT_RSS",
    "Max processes": "RLIMIT_NPROC",
    "Max open files": "RLIMIT_NOFILE",
    "Max locked memory": "RLIMIT_MEMLOCK",
    "Max address space": "RLIMIT_AS",
    "Max pending signals": "RLIMIT_SIGPENDING",
    "Max msgqueue size": "RLIMIT_MSGQUEUE",
    "Max nice priority": "RLIMIT_NICE",
    "Max realtime priority": "RLIMIT_RTPRIO",
    "Max realtime timeout": "RLIMIT_RTTIME",
}
"""Lines of /proc/self/limits, and their names in `resource`."""
_LIMIT_NAME_COLUMNS = 26


def _limits() -> dict[str, str]:
    try:
        with open("/proc/self/limits") as file:
            lines = file.read().splitlines()[1:]
    except OSError:
        return {}
    return {line[:_LIMIT_NAME_COLUMNS].strip(): line[_LIMIT_NAME_COLUMNS:] for line in lines}


def _limit_action(set_limit: Any, number: int, values: tuple[int, int]) -> Callable[[], object]:
    return lambda: set_limit(number, values)


def _timer_actions() -> Iterator[Callable[[], object]]:
    signal: Any = sys.modules.get("signal")
    for timer in _TIMERS if signal is not None else ():
        remaining, interval = signal.getitimer(timer)
        if remaining:
            yield _timer_action(signal.setitimer, timer, remaining, interval)


def _timer_action(set_timer: Any, timer: int, remaining: float, interval: float) -> Callable[[], object]:
    return lambda: set_timer(timer, remaining, interval)


def _c_environment() -> dict[str, str]:
    """Return what children would inherit: `os.putenv` changes it, and not `os.environ`."""
    from pyl.runtime import _native  # type: ignore[attr-defined]  # made by the native build

    entries: dict[str, str] = _native.c_environment()
    return entries


def _environment_action(name: str, value: str | None) -> Callable[[], object]:
    return (lambda: os.unsetenv(name)) if value is None else (lambda: os.putenv(name, value))
