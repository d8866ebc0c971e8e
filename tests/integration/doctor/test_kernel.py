"""What `pyl doctor` says of kernels that refuse what images and the emulator need; seccomp refuses it here."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from integration.projects import environment, run
from pyl.image.capture import permission
from pyl.sandbox import execution

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kernels of Linux")

_REFUSING = """
import ctypes, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
number = int(sys.argv.pop(1))
program = b"".join(struct.pack("=HBBI", *step) for step in (
    (0x20, 0, 0, 0),               # load the number of the system call
    (0x15, 0, 1, number),          # another one: skip the next step
    (0x06, 0, 0, 0x00050000 | 1),  # EPERM
    (0x06, 0, 0, 0x7FFF0000),      # let it through
))
buffer = ctypes.create_string_buffer(program)
filters = struct.pack("@HxxxxxxP", 4, ctypes.addressof(buffer))
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.create_string_buffer(filters), 0, 0) == 0
from pyl.cli import main
main()
"""
PTRACE, UNSHARE = 101, 272
"""asm/unistd_64.h"""


def refused(call: int) -> tuple[int, dict[str, dict[str, str]]]:
    """`pyl doctor image` where the kernel refuses a system call: exit code, and findings by name."""
    command = [sys.executable, "-c", _REFUSING, str(call), "doctor", "image", "--json"]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=60)
    assert done.stdout, done.stderr
    return done.returncode, {item["name"]: item for item in json.loads(done.stdout)}


@pytest.fixture(autouse=True)
def allowing_machine() -> None:
    if (why := permission.refused()) or execution.unavailable():
        pytest.skip(f"this machine refuses by itself: {why}")


def test_a_kernel_that_allows_everything_is_told() -> None:
    done = run("doctor", "image", "--json").succeeded()
    assert {item["name"]: item["status"] for item in done.json} == {
        "kernel": "ok",
        "capture": "ok",
        "emulator": "ok",
    }


def test_a_kernel_that_allows_no_tracing_is_told() -> None:
    code, found = refused(PTRACE)
    assert code == 4
    assert "does not let a program be traced" in found["capture"]["found"]
    assert "ptrace_scope" in found["capture"]["fix"]
    assert found["emulator"]["status"] == "ok"


def test_a_kernel_that_allows_no_namespaces_is_told() -> None:
    code, found = refused(UNSHARE)
    assert code == 4
    assert "no sandbox" in found["capture"]["found"]
    assert "user namespaces" in found["capture"]["fix"]
    assert found["emulator"]["status"] == "warning"


def test_looking_leaves_no_process_behind() -> None:
    before = _children()
    assert permission.refused() is None
    assert _children() == before


def _children() -> set[str]:
    listed = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout
    return {line for line in listed.splitlines() if "pyl-permission-" in line}
