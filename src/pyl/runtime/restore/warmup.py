"""Warm-up calls at capture: what functions import late, cache and specialise is then part of the image."""

from __future__ import annotations

import os
import time

from pyl.context import Context
from pyl.json import codec
from pyl.runtime.logging import logs
from pyl.runtime.loop import streaming
from pyl.runtime.restore.recorder import problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pyl.runtime.handlers.binding import Functions
    from pyl.runtime.restore.capture_report import Problem

_TIME_LIMIT_MS = 900_000

_CALLS = 12
"""Calls of each function. CPython specialises bytecode after about ten runs, and until then writes counters into its
pages: the first call after a restore would be slower, and would write to more of the image."""


def run(functions: Functions, events_json: str) -> list[Problem]:
    """Call functions with their warm-up events, `_CALLS` times each.

    Args:
        functions: The functions of the package.
        events_json: JSON object of one event for each function name.

    Returns:
        One problem for each function that failed.
    """
    trace_id = trace_id_of(os.fsdecode(os.environ._data.get(_LOG_STREAM, b"")))  # type: ignore[attr-defined]  # noqa: SLF001
    _set_trace_id(trace_id)
    try:
        return _call_all(functions, codec.decode(events_json.encode()), trace_id)
    finally:
        _set_trace_id("")
        logs.flush()


def trace_id_of(log_stream: str) -> str:
    """Return the trace id of the warm-up calls: it differs where the log stream does, as from instance to instance."""
    digits = log_stream[-32:][::-1]
    return f"Root=1-{digits[:8]}-{digits[8:]};Parent={digits[:16]};Sampled=1"


_LOG_STREAM = b"AWS_LAMBDA_LOG_STREAM_NAME"


def _set_trace_id(trace_id: str) -> None:
    """Set the variable, or delete it if it is empty, unseen by those who record what the project's code changes."""
    from pyl.runtime import _native  # type: ignore[attr-defined]  # made by the native build

    _native.set_trace_id(trace_id.encode(), os.environ._data)  # type: ignore[attr-defined]  # noqa: SLF001


def _call_all(functions: Functions, events: dict[str, Any], trace_id: str) -> list[Problem]:
    problems = []
    for name, event in events.items():
        try:
            binding = functions.load(name)
            body = codec.encode(event)
            converter = binding.converter
            for _ in range(_CALLS):
                argument = converter.from_json(body) if converter is not None else codec.decode(body)
                _consume(binding.call(argument, _context(name, trace_id)))
        except Exception as error:  # noqa: BLE001 - the user's code may raise anything
            problems.append(problem(f"the warm-up call of {name}", error))
    return problems


def _consume(result: Any) -> None:
    """Encode a result as if it were to be sent."""
    stream = streaming.stream_of(result)
    if stream is None:
        codec.encode(result)
    else:
        stream.collect()


def _context(name: str, trace_id: str) -> Context:
    return Context(
        aws_request_id="00000000-0000-0000-0000-000000000000",
        deadline_ms=int(time.time() * 1000) + _TIME_LIMIT_MS,
        invoked_function_arn=f"arn:aws:lambda:us-east-1:000000000000:function:{name}",
        trace_id=trace_id,
    )
