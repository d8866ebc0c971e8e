"""Cleans up after an emulator that could not do it itself: one that was killed, or crashed.

This file is also a script: a process that is told what there is (process groups, cgroups, folders, files), and that
removes what is left when its standard input ends, which happens however its parent ends. It imports the standard
library only.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

_GONE_WITHIN = 5.0
"""Seconds to wait for killed processes, whose cgroup can be removed only then."""


class Keeper:
    """The parent's side; a context manager."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the parent
        )
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._process and self._process.stdin:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
            self._process.wait()

    def group(self, process: int) -> None:
        """There is a process group."""
        self._tell("group", process)

    def folder(self, folder: Path) -> None:
        """There is a temporary folder."""
        self._tell("folder", str(folder))

    def cgroup(self, folder: Path) -> None:
        """There is a cgroup."""
        self._tell("cgroup", str(folder))

    def forget(self, thing: int | Path) -> None:
        """It is there no more."""
        self._tell("forget", thing if isinstance(thing, int) else str(thing))

    def _tell(self, kind: str, thing: int | str) -> None:
        if self._process and self._process.stdin:
            with contextlib.suppress(OSError):  # without its help this process still cleans up after itself
                self._process.stdin.write(json.dumps([kind, thing]).encode() + b"\n")
                self._process.stdin.flush()


def _keep() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    known: dict[Any, str] = {}
    for line in sys.stdin.buffer:
        with contextlib.suppress(ValueError):  # the parent was killed in the middle of a line
            kind, thing = json.loads(line)
            if kind == "forget":
                known.pop(thing, None)
            else:
                known[thing] = kind
    for thing, kind in known.items():
        if kind == "group":
            with contextlib.suppress(OSError):
                os.killpg(thing, signal.SIGKILL)
    for thing, kind in known.items():
        if kind == "cgroup":
            _remove_cgroup(thing)
        elif kind == "folder":
            shutil.rmtree(thing, ignore_errors=True)


def _remove_cgroup(folder: str) -> None:
    end = time.monotonic() + _GONE_WITHIN
    while time.monotonic() < end:
        with contextlib.suppress(OSError), open(f"{folder}/cgroup.procs", encoding="ascii") as members:  # noqa: PTH123
            for process in members.read().split():
                os.kill(int(process), signal.SIGKILL)
        try:
            os.rmdir(folder)  # noqa: PTH106
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.02)
        else:
            return


if __name__ == "__main__":
    _keep()
