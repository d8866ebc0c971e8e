"""A build that is interrupted in the middle of a compile leaves no process, no scratch folder and no half package."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.projects import COMMAND, HELLO, environment, write_project

pytestmark = pytest.mark.compile

_PATIENCE = 120.0


def compilers(mark: str) -> list[str]:
    """Command lines of the processes that work for the build whose cache is `mark`."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
                texts = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
                if state != "Z" and mark.encode() in texts:
                    found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found


@pytest.fixture
def project(tmp_path: Path) -> Path:
    project = write_project(tmp_path / "shop", {"handlers.py": HELLO})
    (project / "build" / "pyl").mkdir(parents=True)
    (project / "build" / "pyl" / "native-x86_64.zip").write_bytes(b"earlier")
    return project


@contextlib.contextmanager
def compiling(project: Path, cache: Path) -> Iterator[subprocess.Popen[str]]:
    """A build with a cold cache, as a group of its own, once a C compiler is at work for it."""
    process = subprocess.Popen(
        # A shell lets what it starts in the background ignore SIGINT, and so would all below it.
        ["env", "--default-signal=INT", *COMMAND, "build", "--native"],
        cwd=project,
        env=environment(PYL_CACHE_DIR=str(cache)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    )
    try:
        end = time.monotonic() + _PATIENCE
        while not any("clang" in line or "nuitka" in line for line in compilers(str(cache))):
            assert process.poll() is None, "the build ended too early"
            assert time.monotonic() < end, "no compiler was started"
            time.sleep(0.05)
        time.sleep(1)  # into its work
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.mark.parametrize(
    ("number", "to_group", "code"),
    [(signal.SIGINT, True, 130), (signal.SIGINT, False, 130), (signal.SIGTERM, False, 143)],
    ids=["Ctrl-C at a terminal", "SIGINT to pyl alone", "SIGTERM of a CI runner"],
)
def test_nothing_is_left_of_an_interrupted_compile(
    project: Path, tmp_path: Path, number: signal.Signals, to_group: bool, code: int
) -> None:
    cache = tmp_path / "cold-cache"
    with compiling(project, cache) as process:
        (os.killpg if to_group else os.kill)(process.pid, number)
        _, err = process.communicate(timeout=30)
    assert process.returncode == code
    assert "Traceback" not in err
    if code == 130:
        assert "interrupted; earlier packages are unchanged" in err
    assert compilers(str(cache)) == []
    out = project / "build" / "pyl"
    assert {path.name for path in out.iterdir()} == {"native-x86_64.zip", "native.log"}
    assert (out / "native-x86_64.zip").read_bytes() == b"earlier"
    assert {path.name for path in project.iterdir()} == {"handlers.py", "pyproject.toml", "build"}
    left = [path for path in cache.rglob("*") if path.is_dir() and path.parent.name in {"work", "modules", "programs"}]
    assert left == []
