"""System calls by which a program changes its own process in ways that no image brings back."""

from __future__ import annotations

from collections.abc import Sequence

CHANGING_CALLS = frozenset(
    """
    sched_setaffinity sched_setscheduler sched_setattr setsid setpgid personality mlock mlock2 mlockall madvise
    dup2 dup3 prctl
    """.split()  # noqa: SIM905 - so it can be read
)
"""Those that are looked at. What is redone after a restore (umask, limits, timers, priority) is not among them."""

_ASKS_FOR_PERSONALITY = 0xFFFF_FFFF
_STANDARD_STREAMS = 3
_DONT_FORK = 10
"""MADV_DONTFORK."""
_OPTIONS = {
    4: "PR_SET_DUMPABLE",
    8: "PR_SET_KEEPCAPS",
    15: "PR_SET_NAME",
    22: "PR_SET_SECCOMP",
    24: "PR_CAPBSET_DROP",
    26: "PR_SET_TSC",
    28: "PR_SET_SECUREBITS",
    29: "PR_SET_TIMERSLACK",
    33: "PR_MCE_KILL",
    36: "PR_SET_CHILD_SUBREAPER",
    38: "PR_SET_NO_NEW_PRIVS",
    41: "PR_SET_THP_DISABLE",
    47: "PR_CAP_AMBIENT",
    52: "PR_SET_SPECULATION_CTRL",
}
"""Of prctl(2): linux/prctl.h."""
_INT = 0xFFFF_FFFF


def described_change(name: str, arguments: Sequence[int]) -> str:
    """Return what a call changes, in words; empty if it changes nothing that an image would lose.

    Args:
        name: Of the system call, one of `CHANGING_CALLS`.
        arguments: Its arguments.
    """
    if name == "prctl":
        option = _OPTIONS.get(arguments[0] & _INT)
        return f"prctl({option})" if option else ""
    if name in ("dup2", "dup3"):
        stream = arguments[1] & _INT
        return f"{name}() over standard stream {stream}" if stream < _STANDARD_STREAMS else ""
    if name == "personality" and arguments[0] & _INT == _ASKS_FOR_PERSONALITY:
        return ""
    if name == "madvise":
        return "madvise(MADV_DONTFORK)" if arguments[2] & _INT == _DONT_FORK else ""
    return f"{name}()"
