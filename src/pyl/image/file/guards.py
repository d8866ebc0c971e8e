"""Conditions under which a cold start may use an image."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pyl.image.file.structures import GUARD_ABSENT, GUARD_EQUAL, GUARD_NO_OTHER, GUARD_TASK_ROOT

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
    value: str = ""

    def described(self) -> dict[str, str]:
        """Return its name and condition in words, without values, since they may be secrets."""
        condition = {
            GUARD_EQUAL: f"{self.name} has the build's value",
            GUARD_ABSENT: f"{self.name} is not set",
            GUARD_TASK_ROOT: f"the package stands at {self.value}",
            GUARD_NO_OTHER: "no variable is set but Lambda's and the configured ones",
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
