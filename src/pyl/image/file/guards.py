"""What must hold at a cold start for an image to be used."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

EQUAL, ABSENT, TASK_ROOT, NO_OTHER = 1, 2, 3, 4

LAMBDA_VARIABLES = tuple(
    """
    _HANDLER _X_AMZN_TRACE_ID _LAMBDA_* _AWS_XRAY_* LAMBDA_* AWS_LAMBDA_* AWS_XRAY_* AWS_REGION AWS_DEFAULT_REGION
    AWS_EXECUTION_ENV AWS_ACCESS_KEY AWS_ACCESS_KEY_ID AWS_SECRET_KEY AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
    AWS_SECURITY_TOKEN LANG TZ PATH LD_LIBRARY_PATH PWD OLDPWD SHLVL _
    """.split()  # noqa: SIM905 - so it can be read
)
"""What Lambda itself, or a shell that stands in for it, puts into the environment; `*` stands for any ending."""


MENDED = frozenset(("PATH", "TZ"))
"""Variables that the interpreter looks at when it starts, to find itself and its time zone. Where it is does not depend
on the first, and a restored process looks at the second again."""


@dataclass(frozen=True)
class Guard:
    """A condition that the launcher compares, in C, before anything is mapped."""

    kind: int
    name: str
    value: str = ""

    def described(self) -> dict[str, str]:
        """Its name and condition in words; values stay out, since they may be secrets."""
        condition = {
            EQUAL: f"{self.name} has the build's value",
            ABSENT: f"{self.name} is not set",
            TASK_ROOT: f"the package stands at {self.value}",
            NO_OTHER: "no variable is set but Lambda's and the configured ones",
        }[self.kind]
        return {"name": self.name, "condition": condition}


def environment_guard(name: str, value: str | None) -> Guard:
    """The variable has the value that it had when it was read at import (`None`: it was not set)."""
    return Guard(ABSENT, name) if value is None else Guard(EQUAL, name, value)


def task_root_guard(folder: str) -> Guard:
    return Guard(TASK_ROOT, "", folder)


def no_other_guard(configured: Iterable[str]) -> Guard:
    """No variable is set but Lambda's and `configured`: their names were all looked at."""
    return Guard(NO_OTHER, "", "\n".join((*LAMBDA_VARIABLES, *sorted(configured))))
