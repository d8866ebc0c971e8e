"""Programs run to their end, with all they print, and never outlive the wait."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from pyl.process import CommandFailed, run


def test_output_goes_to_the_result_the_log_and_the_listener(tmp_path: Path) -> None:
    seen: list[str] = []
    output = run([sys.executable, "-c", "print(1); print(2)"], log=tmp_path / "log", on_line=seen.append)
    assert output == "1\n2\n" == (tmp_path / "log").read_text()
    assert seen == ["1", "2"]


def test_lines_in_the_log_say_what_wrote_them(tmp_path: Path) -> None:
    output = run([sys.executable, "-c", "print(1); print(2)"], log=tmp_path / "log", label="part")
    assert output == "1\n2\n"
    assert (tmp_path / "log").read_text() == "part: 1\npart: 2\n"


def test_a_failure_carries_exit_code_and_output() -> None:
    with pytest.raises(CommandFailed, match="exit code 3") as caught:
        run([sys.executable, "-c", "import sys; print('why'); sys.exit(3)"])
    assert caught.value.returncode == 3
    assert caught.value.output == "why\n"


def test_death_by_a_signal_is_named() -> None:
    with pytest.raises(CommandFailed, match="signal SIGKILL"):
        run([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"])


def test_a_missing_program_is_named() -> None:
    with pytest.raises(CommandFailed, match="/no/such/program"):
        run(["/no/such/program"])


def test_an_interrupt_ends_the_program_and_its_children(tmp_path: Path) -> None:
    script = (
        "import os, pathlib, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(os.getpid(), child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    pids: list[int] = []

    def interrupt(line: str) -> None:
        pids.extend(map(int, line.split()))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run([sys.executable, "-c", script], on_line=interrupt)
    assert len(pids) == 2
    end = time.monotonic() + 5
    while any(_alive(pid) for pid in pids):
        assert time.monotonic() < end, "a process outlived the interrupt"
        time.sleep(0.01)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
