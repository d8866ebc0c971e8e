"""Cleans up after an emulator that was killed or has crashed.

This file is also the script of a helper process. The emulator writes to its standard input which process groups,
cgroups and folders exist. When the input ends, which it does however the emulator ends, the helper removes what is
left. It imports the standard library only.
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
"""Seconds to wait for killed processes. A cgroup can be removed only when they are gone."""


class Reaper:
    """Runs the helper process and reports to it. A context manager that lets it clean up and end."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C must not end it
        )
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._process and self._process.stdin:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
            self._process.wait()

    def add_group(self, process: int) -> None:
        """Register a process group, by its id."""
        self._send("group", process)

    def add_folder(self, folder: Path) -> None:
        """Register a temporary folder."""
        self._send("folder", str(folder))

    def add_cgroup(self, folder: Path) -> None:
        """Register a cgroup, by its folder."""
        self._send("cgroup", str(folder))

    def forget(self, resource: int | Path) -> None:
        """Unregister a process group, folder or cgroup that is gone."""
        self._send("forget", resource if isinstance(resource, int) else str(resource))

    def _send(self, kind: str, resource: int | str) -> None:
        if self._process and self._process.stdin:
            with contextlib.suppress(OSError):  # without the helper, this process still cleans up after itself
                self._process.stdin.write(json.dumps([kind, resource]).encode() + b"\n")
                self._process.stdin.flush()


def _serve() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    kinds: dict[Any, str] = {}
    for line in sys.stdin.buffer:
        with contextlib.suppress(ValueError):  # the parent was killed in the middle of a line
            kind, resource = json.loads(line)
            if kind == "forget":
                kinds.pop(resource, None)
            else:
                kinds[resource] = kind
    for resource, kind in kinds.items():
        if kind == "group":
            with contextlib.suppress(OSError):
                os.killpg(resource, signal.SIGKILL)
    for resource, kind in kinds.items():
        if kind == "cgroup":
            _remove_cgroup(resource)
        elif kind == "folder":
            shutil.rmtree(resource, ignore_errors=True)


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
    _serve()
