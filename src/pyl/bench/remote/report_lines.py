"""Reads the REPORT line that Lambda writes at the end of an invocation's log."""

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
    """Lambda's figures for one invocation, in milliseconds and MB (of 1,048,576 bytes)."""

    duration: float
    billed: float
    memory: float
    init: float | None
    """None when the environment already existed."""

    @property
    def is_cold(self) -> bool:
        """Whether Lambda created an environment for it."""
        return self.init is not None


def read(log_result: str) -> Invocation | None:
    """Read the invocation from a log tail as `Invoke` returns it (Base64); None without a complete REPORT line."""
    lines = [line for line in text(log_result).splitlines() if line.startswith("REPORT RequestId:")]
    if not lines:
        return None
    figures = {name: float(match[1]) for name, pattern in _FIELDS.items() if (match := pattern.search(lines[-1]))}
    if not {"duration", "billed", "memory"} <= figures.keys():
        return None
    return Invocation(
        duration=figures["duration"], billed=figures["billed"], memory=figures["memory"], init=figures.get("init")
    )


def text(log_result: str) -> str:
    """Decode a log tail."""
    return base64.b64decode(log_result).decode("utf-8", "replace")
