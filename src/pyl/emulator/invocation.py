"""What passes through an execution environment: an invocation, the runtime's answer, the outcome for the caller."""

from __future__ import annotations

import json
import math
import time
import uuid
from dataclasses import dataclass, field, replace
from typing import Protocol

from pyl.project.model import Function

JSON_TYPE = "application/json"


def trace_id() -> str:
    """A new X-Ray trace header, not sampled."""
    return f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]};Parent={uuid.uuid4().hex[:16]};Sampled=0"


@dataclass(kw_only=True)
class Invocation:
    """One event on its way to the function."""

    event: bytes
    timeout: float
    """Seconds that the function may take, from the hand-over on."""
    arn: str
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    trace_id: str | None = None
    client_context: str | None = None
    """JSON text."""
    tenant_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the runtime posted for an invocation, or for its initialisation."""

    payload: bytes
    error: bool
    error_type: str | None
    received: int
    """CLOCK_MONOTONIC in nanoseconds when the request was complete."""
    content_type: str = JSON_TYPE
    streamed: bool = False
    """The payload went to the caller in pieces while the function was running."""


class Sink(Protocol):
    """Takes a response while the function makes it."""

    async def begin(self, content_type: str) -> None:
        """The response begins. It will be what `content_type` says."""

    async def write(self, piece: bytes) -> None:
        """Take the next piece; returns when another one may follow."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of one invocation."""

    payload: bytes
    error: str | None
    """Lambda's error type, None when the function returned."""
    request_id: str
    duration: float
    """Seconds from the hand-over of the event to the answer."""
    init: float | None
    """Seconds from process spawn to the first request for work; None on a warm start."""
    cold_start: float | None
    """Seconds from process spawn to the first answer; None on a warm start."""
    max_memory: int
    """Bytes of resident memory at its peak (VmHWM)."""
    content_type: str = JSON_TYPE
    streamed: bool = False
    """Whether the payload has gone to the caller's sink; `payload` then holds that of an error in mid-stream only."""
    logs: bytes = b""
    """What was logged, REPORT line included, as far as it was collected."""

    def with_logs(self, logs: bytes) -> Outcome:
        """The same with what was logged."""
        return replace(self, logs=logs)

    def report(self, function: Function) -> str:
        """The line that Lambda logs after an invocation."""
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


def failed(kind: str, message: str) -> Answer:
    """The answer that the platform itself gives in place of a runtime's."""
    payload = json.dumps({"errorType": kind, "errorMessage": message}).encode()
    return Answer(payload=payload, error=True, error_type=kind, received=time.monotonic_ns())
