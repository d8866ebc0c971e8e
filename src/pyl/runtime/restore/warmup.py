"""Calls functions at capture, so that what they import late, cache and specialise is in the image."""

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

    from pyl.runtime.handlers.resolve import Functions

_KEYS = {
    b"AWS_ACCESS_KEY_ID": b"AKIAWARMUPWARMUPWARM",
    b"AWS_SECRET_ACCESS_KEY": b"warm-up",
    b"AWS_SESSION_TOKEN": b"warm-up",
}
"""What a warm-up call signs with: real keys never come near an image."""

_DEADLINE = 900_000

_CALLS = 12
"""Of each function. CPython specialises the bytecode of what ran some ten times, and until then counts in its pages:
the first call after a restore would be slower, and write more of the image."""


def run(functions: Functions, events: str) -> list[dict[str, str]]:
    """Call each function of the JSON object `{function name: event}` `_CALLS` times with its event; what failed."""
    environment = os.environ._data  # type: ignore[attr-defined]  # noqa: SLF001 - so that nothing is recorded
    environment.update(_KEYS)
    try:
        return _call_all(functions, codec.decode(events.encode()))
    finally:
        for name in _KEYS:
            environment.pop(name, None)
        logs.flush()


def _call_all(functions: Functions, events: dict[str, Any]) -> list[dict[str, str]]:
    found = []
    for name, event in events.items():
        try:
            binding = functions.load(name)
            body = codec.encode(event)
            converter = binding.converter
            for _ in range(_CALLS):
                argument = converter.from_json(body) if converter is not None else codec.decode(body)
                _use(binding.call(argument, _context(name)))
        except Exception as error:  # noqa: BLE001 - the user's code may raise anything
            found.append(problem(f"the warm-up call of {name}", error))
    return found


def _use(result: Any) -> None:
    """Do what is done with a result, but for sending it."""
    stream = streaming.stream_of(result)
    if stream is None:
        codec.encode(result)
    else:
        stream.collect()


def _context(name: str) -> Context:
    return Context(
        aws_request_id="00000000-0000-0000-0000-000000000000",
        deadline_ms=int(time.time() * 1000) + _DEADLINE,
        invoked_function_arn=f"arn:aws:lambda:us-east-1:000000000000:function:{name}",
        trace_id="",
    )
