"""An invocation of a function, the runtime's answer to it, and the outcome for the caller."""

from __future__ import annotations

import json
import math
import time
import uuid
from dataclasses import dataclass, field, replace
from typing import Protocol

from pyl.project.model import Function

JSON_TYPE = "application/json"


def new_trace_id() -> str:
    """Return a new X-Ray trace header that is not sampled."""
    return f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]};Parent={uuid.uuid4().hex[:16]};Sampled=0"


@dataclass(kw_only=True)
class Invocation:
    """An event for a function, and what Lambda sends with it."""

    event: bytes
    timeout: float
    """Seconds that the function may take, from when it receives the event."""
    arn: str
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    trace_id: str | None = None
    client_context: str | None = None
    """JSON text."""
    tenant_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the runtime posted as response or error of an invocation, or as error of its initialisation."""

    payload: bytes
    error: bool
    error_type: str | None
    received: int
    """When the request was complete, in nanoseconds of CLOCK_MONOTONIC."""
    content_type: str = JSON_TYPE
    streamed: bool = False
    """Whether the payload was sent to the caller in pieces while the function was running."""


class Sink(Protocol):
    """Receives a streamed response."""

    async def begin(self, content_type: str) -> None:
        """Begin the response."""

    async def write(self, piece: bytes) -> None:
        """Write the next piece. Returns when there is room for another one."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The result of one invocation."""

    payload: bytes
    error: str | None
    """Lambda's error type; None if the function returned."""
    request_id: str
    duration: float
    """Seconds from when the runtime received the event to its answer."""
    init: float | None
    """Seconds from process spawn to the first request for work; None on a warm start."""
    cold_start: float | None
    """Seconds from process spawn to the first answer; None on a warm start."""
    max_memory: int
    """Bytes of resident memory at its peak (VmHWM)."""
    content_type: str = JSON_TYPE
    streamed: bool = False
    """Whether the response was written to the caller's sink. `payload` is then empty, or an error in mid-stream."""
    logs: bytes = b""
    """What was logged, including the REPORT line; empty if logs were not collected."""

    def with_logs(self, logs: bytes) -> Outcome:
        """Return a copy with logs."""
        return replace(self, logs=logs)

    def report(self, function: Function) -> str:
        """Return the REPORT line that Lambda logs after an invocation."""
        parts = [
            f"REPORT RequestId: {self.request_id}",
            f"Duration: {self.duration * 1000:.2f} ms",
            f"Billed Duration: {math.ceil((self.duration + (self.init or 0)) * 1000)} ms",
            f"Memory Size: {function.configuration.memory} MB",
            f"Max Memory Used: {self.max_memory / 1e6:.1f} MB",
        ]
        if self.init is not None and self.cold_start is not None:
            parts += [
                f"Init Duration: {self.init * 1000:.2f} ms",
                f"Cold Start: {self.cold_start * 1000:.2f} ms",
            ]
        return "\t".join(parts)


def platform_error(kind: str, message: str) -> Answer:
    """Return the answer of the platform itself, in place of the runtime's.

    Args:
        kind: Lambda's error type.
        message: The error message.
    """
    payload = json.dumps({"errorType": kind, "errorMessage": message}).encode()
    return Answer(payload=payload, error=True, error_type=kind, received=time.monotonic_ns())
