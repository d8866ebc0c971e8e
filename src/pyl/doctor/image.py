"""Checks for process images and the emulator: whether the kernel allows captures and sandboxes."""

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
    """Check the kernel and its permissions for captures and for the emulator."""
    if sys.platform != "linux":
        detail = "images are captured in the build container; the emulator runs on Linux only"
        yield _finding(name="kernel", status=Status.SKIPPED, found=detail)
        return
    yield _finding(name="kernel", status=Status.OK, found=f"Linux {platform.release()}{_restrictions()}")
    yield _capture()
    yield _task_root()


def _capture() -> Finding:
    refusal = permission.refused()
    if refusal is None:
        return _finding(name="capture", status=Status.OK, found="programs can be sandboxed and traced")
    fix = _TRACING if refusal.tracing else _NAMESPACES
    consequence = "packages are built without a process image"
    return _finding(name="capture", status=Status.FAILED, found=f"{refusal.reason}: {consequence}", fix=fix)


def _task_root() -> Finding:
    reason = execution.unavailable()
    if reason is None:
        return _finding(name="emulator", status=Status.OK, found="packages run at /var/task, as in Lambda")
    detail = f"packages run outside of /var/task and without their image: {reason}"
    return _finding(name="emulator", status=Status.WARNING, found=detail, fix=_NAMESPACES)


_SETTINGS = {
    "kernel.yama.ptrace_scope": "0",
    "kernel.unprivileged_userns_clone": "1",
    "kernel.apparmor_restrict_unprivileged_userns": "0",
}
"""Values of kernel settings that impose no restriction."""


def _restrictions() -> str:
    restrictions = []
    for name, unrestricted in _SETTINGS.items():
        try:
            value = Path("/proc/sys", *name.split(".")).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if value != unrestricted:
            restrictions.append(f"{name}={value}")
    return f" ({', '.join(restrictions)})" if restrictions else ""
