"""Handlers whose results are sent while they are made."""

from __future__ import annotations

import asyncio
import io
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

from pyl import Context, function
from pyl.responses import StreamingResponse


@function
def parts(context: Context, event: list[Any]) -> Iterator[str | bytes]:
    """Yields what the event lists: text, numbers of bytes; fails where it says `fail`."""
    try:
        for part in event:
            yield _part(part)
    finally:
        print("closed", context.request_id)


@function
async def asynchronous_parts(context: Context, event: list[Any]) -> AsyncIterator[str | bytes]:
    try:
        async with asyncio.timeout(60):  # holds only in the task that entered it
            for part in event:
                await asyncio.sleep(0)
                yield _part(part)
    finally:
        print("closed", context.request_id)


def _part(part: Any) -> Any:
    if part == "fail":
        return deeper(part)
    if part == "number":
        return 5
    if part == "exit":
        raise SystemExit(3)
    return b"\xff" * part if isinstance(part, int) else part


def deeper(part: str) -> str:
    raise LookupError("größe " + part)


@function
def gated(context: Context, event: int) -> Iterator[str]:
    yield "first"
    with socket.create_connection(("127.0.0.1", event)) as gate:
        gate.recv(1)
    yield "second"


@function
async def asynchronous_gated(context: Context, event: int) -> AsyncIterator[str]:
    yield "first"
    reader, writer = await asyncio.open_connection("127.0.0.1", event)
    await reader.readexactly(1)
    writer.close()
    yield "second"


@function
def page(context: Context, event: Any) -> StreamingResponse:
    return StreamingResponse(
        parts(context, event),
        status_code=418,
        headers={"content-type": "text/plain; charset=utf-8"},
        cookies=["a=1", "b=2; HttpOnly"],
    )


@function
async def asynchronous_page(context: Context, event: Any) -> StreamingResponse:
    return StreamingResponse(asynchronous_parts(context, event), headers={"content-type": "text/plain"})


@function
def rest_page(context: Context, event: Any) -> StreamingResponse:
    return StreamingResponse("whole", multi_value_headers={"Set-Cookie": ["a=1", "b=2"]})


@function
def bad_head(context: Context, event: Any) -> StreamingResponse:
    return StreamingResponse(["never sent"], headers={"a": object()})  # type: ignore[dict-item]


@function
def file(context: Context, event: Any) -> io.BytesIO:
    return io.BytesIO(b"one\ntwo\n")


@function
async def heartbeat(context: Context, event: int) -> AsyncIterator[str]:
    """Sends much, and tells how often another task ran meanwhile."""
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            beats += 1
            await asyncio.sleep(0.01)

    task = asyncio.get_running_loop().create_task(beat())
    yield "x" * event
    yield f"\n{beats}"
    task.cancel()
