"""Runs `pyl watch` as a process, and finds the processes, folders and cgroups that it uses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from integration.projects import COMMAND, environment

HANDLERS = """\
import os
from pyl import Context, function

@function
def version(context: Context, event):
    return 1

@function
def where(context: Context, event):
    print("looking")
    return {"process": os.getpid(), "cwd": os.getcwd(), "file": __file__}

@function
def nap(context: Context, event):
    import time
    print("process", os.getpid(), flush=True)
    time.sleep(event)
    return "rested"
"""


class Watch:
    """A running `pyl watch`."""

    def __init__(self, process: subprocess.Popen[str], address: str, log: Path) -> None:
        self.process = process
        self.address = address
        self._log = log

    @property
    def log(self) -> str:
        """All that it wrote to stderr."""
        return self._log.read_text(encoding="utf-8")

    def invoke(self, name: str, event: Any = None) -> Any:
        """Invoke a function and return its response."""
        return json.loads(self.get(f"/2015-03-31/functions/{name}/invocations", json.dumps(event).encode()))

    def get(self, path: str, body: bytes | None = None) -> bytes:
        """Send a request and return the body of the response, whatever its status."""
        try:
            with urlopen(Request(self.address + path, body), timeout=60) as response:
                content: bytes = response.read()
        except HTTPError as error:
            with error:
                content = error.read()
        return content

    def until(self, condition: Callable[[], bool], seconds: float = 30) -> None:
        """Wait until a condition is true."""
        end = time.monotonic() + seconds
        while not condition():
            assert self.process.poll() is None, self.log
            assert time.monotonic() < end, self.log
            time.sleep(0.05)

    def processes(self) -> set[int]:
        """Return the ids of the process and all its descendants."""
        parents = {}
        for folder in Path("/proc").iterdir():
            if folder.name.isdecimal():
                try:
                    parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                except OSError:
                    continue
        family = {self.process.pid}
        while more := {child for child, parent in parents.items() if parent in family} - family:
            family |= more
        return family

    def folders(self) -> set[Path]:
        """Return the temporary folders and cgroups that it uses."""
        own = {
            Path(part)
            for process in self.processes()
            for part in _command_line(process).replace('"', " ").split()
            if part.startswith("/tmp/pyl-task-")
        }
        return own | cgroups(self.process.pid)

    def stop(self, number: int = signal.SIGINT) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=30)


@contextmanager
def watching(project: Path, folder: Path, *arguments: str, **variables: str) -> Iterator[Watch]:
    """Run `pyl watch` for a project, with its log in `folder`."""
    log = folder / f"watch-{time.monotonic_ns()}.log"
    with log.open("w") as errors:
        process = subprocess.Popen(
            [*COMMAND, "watch", "--project", str(project), "--port", "0", "--json", *arguments],
            env=environment(TMPDIR="/tmp", **variables),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
    assert process.stdout
    try:
        line = process.stdout.readline()
        assert line, log.read_text()
        yield Watch(process, json.loads(line)["address"], log)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=30)
        process.stdout.close()


def cgroups(process: int) -> set[Path]:
    """Return the cgroups that an emulator has created."""
    return set(Path("/sys/fs/cgroup").rglob(f"pyl-{process}-*"))


def is_running(process: int) -> bool:
    """Return whether a process is running."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in {"Z", "X"}


def processor_ticks(processes: set[int]) -> int:
    """Return the user and system time of processes, in clock ticks."""
    total = 0
    for process in processes:
        try:
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total


def _command_line(process: int) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        return ""


TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
