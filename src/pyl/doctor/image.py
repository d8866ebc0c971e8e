"""Looks at whether the kernel lets a program be captured, and packages be run at `/var/task`."""

from __future__ import annotations

import functools
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

from pyl.doctor.findings import Area, Finding, Status
from pyl.image.capture import permission
from pyl.sandbox import execution

_finding = functools.partial(Finding, area=Area.IMAGE)

_NAMESPACES = (
    "allow user namespaces (`sysctl kernel.unprivileged_userns_clone=1`; "
    "on Ubuntu `sysctl kernel.apparmor_restrict_unprivileged_userns=0`), or run as root; "
    "in a container, run it with `--privileged` or `--security-opt seccomp=unconfined`"
)
_TRACING = (
    "allow it (`sysctl kernel.yama.ptrace_scope=1`); in a container, run it with `--cap-add SYS_PTRACE` "
    "or on a kernel that is not older than 4.8"
)


def examine() -> Iterator[Finding]:
    """The kernel, a capture's permissions, the emulator's."""
    if sys.platform != "linux":
        found = "images are taken in the container that builds; the emulator runs on Linux"
        yield _finding(name="kernel", status=Status.SKIPPED, found=found)
        return
    yield _finding(name="kernel", status=Status.OK, found=f"Linux {platform.release()}{_restrictions()}")
    yield _capture()
    yield _task_root()


def _capture() -> Finding:
    refused = permission.refused()
    if refused is None:
        return _finding(name="capture", status=Status.OK, found="a program can be put into a sandbox, and traced there")
    fix = _TRACING if refused.tracing else _NAMESPACES
    consequence = "packages are built without a process image"
    return _finding(name="capture", status=Status.FAILED, found=f"{refused.reason}: {consequence}", fix=fix)


def _task_root() -> Finding:
    why = execution.unavailable()
    if why is None:
        return _finding(name="emulator", status=Status.OK, found="packages can stand at /var/task, as in Lambda")
    found = f"packages run where they are, and not from their image: {why}"
    return _finding(name="emulator", status=Status.WARNING, found=found, fix=_NAMESPACES)


_SETTINGS = {
    "kernel.yama.ptrace_scope": "0",
    "kernel.unprivileged_userns_clone": "1",
    "kernel.apparmor_restrict_unprivileged_userns": "0",
}
"""Settings that restrict what is needed, where they exist, by their value that does not."""


def _restrictions() -> str:
    found = []
    for name, free in _SETTINGS.items():
        try:
            value = Path("/proc/sys", *name.split(".")).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if value != free:
            found.append(f"{name}={value}")
    return f" ({', '.join(found)})" if found else ""
