"""Reads what Lambda reports of an invocation: the REPORT line at the end of its log."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

_FIELDS = {
    "duration": re.compile(r"\tDuration: ([0-9.]+) ms"),
    "billed": re.compile(r"\tBilled Duration: ([0-9.]+) ms"),
    "memory": re.compile(r"\tMax Memory Used: ([0-9]+) MB"),
    "init": re.compile(r"\tInit Duration: ([0-9.]+) ms"),
}
"""https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html (the same for every runtime)"""


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """What Lambda says of one invocation. Milliseconds and MB (of 1,048,576 bytes), as it says them."""

    duration: float
    billed: float
    memory: float
    init: float | None
    """`None`: the environment was there already."""

    @property
    def is_cold(self) -> bool:
        """Whether an environment was made for it."""
        return self.init is not None


def read(log_result: str) -> Invocation | None:
    """The invocation of a log tail as `Invoke` answers it (Base64); None when it holds no whole REPORT line."""
    lines = [line for line in text(log_result).splitlines() if line.startswith("REPORT RequestId:")]
    if not lines:
        return None
    found = {name: float(match[1]) for name, pattern in _FIELDS.items() if (match := pattern.search(lines[-1]))}
    if not {"duration", "billed", "memory"} <= found.keys():
        return None
    return Invocation(
        duration=found["duration"], billed=found["billed"], memory=found["memory"], init=found.get("init")
    )


def text(log_result: str) -> str:
    """The log tail as it was printed."""
    return base64.b64decode(log_result).decode("utf-8", "replace")
