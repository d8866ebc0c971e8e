"""Conditions under which a cold start may use an image."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pyl.image.file.structures import (
    GUARD_ABSENT,
    GUARD_EQUAL,
    GUARD_NO_OTHER,
    GUARD_PATH_ABSENT,
    GUARD_PATH_PRESENT,
    GUARD_PRESENT,
    GUARD_PROCESSORS,
    GUARD_TASK_ROOT,
    GUARD_USER,
)

LAMBDA_VARIABLES = tuple(
    """
    _HANDLER _X_AMZN_TRACE_ID _LAMBDA_* _AWS_XRAY_* LAMBDA_* AWS_LAMBDA_* AWS_XRAY_* AWS_REGION AWS_DEFAULT_REGION
    AWS_EXECUTION_ENV AWS_ACCESS_KEY AWS_ACCESS_KEY_ID AWS_SECRET_KEY AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
    AWS_SECURITY_TOKEN LANG TZ PATH LD_LIBRARY_PATH PWD OLDPWD SHLVL _
    """.split()  # noqa: SIM905 - so it can be read
)
"""Variables that Lambda itself sets, or a shell in its place; `*` matches any ending."""


@dataclass(frozen=True)
class Guard:
    """A condition that the launcher compares, in C, before anything is mapped."""

    kind: int
    name: str
    """A variable or a path; empty for the other kinds."""
    value: str = ""
    """The variable's value, the package's folder, variables (one a line), "uid:gid", or a number of processors."""

    def described(self) -> dict[str, str]:
        """Return its name and condition in words, without values, since they may be secrets."""
        condition = {
            GUARD_EQUAL: f"{self.name} has the build's value",
            GUARD_ABSENT: f"{self.name} is not set",
            GUARD_TASK_ROOT: f"the package stands at {self.value}",
            GUARD_NO_OTHER: "no variable is set but Lambda's and the configured ones",
            GUARD_PRESENT: f"{self.name} is set",
            GUARD_PATH_ABSENT: f"{self.name} does not exist",
            GUARD_PATH_PRESENT: f"{self.name} exists",
            GUARD_USER: f"the user and group are {self.value}",
            GUARD_PROCESSORS: f"the number of processors is {self.value}",
        }[self.kind]
        return {"name": self.name, "condition": condition}


def environment_guard(name: str, value: str | None) -> Guard:
    """Require that a variable has the value that was read at import (`None`: it was not set)."""
    return Guard(GUARD_ABSENT, name) if value is None else Guard(GUARD_EQUAL, name, value)


def task_root_guard(folder: str) -> Guard:
    """Require that the package is at `folder`."""
    return Guard(GUARD_TASK_ROOT, "", folder)


def no_other_guard(configured: Iterable[str]) -> Guard:
    """Require that no variable is set but Lambda's and `configured`: imports read the names of all."""
    return Guard(GUARD_NO_OTHER, "", "\n".join((*LAMBDA_VARIABLES, *sorted(configured))))


def present_guard(name: str) -> Guard:
    """Require that a variable is set, whatever its value: imports asked only whether it is."""
    return Guard(GUARD_PRESENT, name)


def path_guard(path: str, *, exists: bool) -> Guard:
    """Require that something exists at an absolute path, or that nothing does.

    A symbolic link whose target is missing meets neither condition: what code sees of it depends on the system call.
    """
    return Guard(GUARD_PATH_PRESENT if exists else GUARD_PATH_ABSENT, path)


def user_guard(uid: int, gid: int) -> Guard:
    """Require that the real and the effective user and group are these."""
    return Guard(GUARD_USER, "", f"{uid}:{gid}")


def processors_guard(count: int) -> Guard:
    """Require that the process may run on so many processors (`os.sched_getaffinity`)."""
    return Guard(GUARD_PROCESSORS, "", str(count))
