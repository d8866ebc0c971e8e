"""The event loop of `async def` handlers: one for the life of the process, made at the first call.

It is never made at import, so that a process image holds none, and it stays between invocations, so that
clients bound to it do too. Tasks that a handler leaves behind go on during the next invocation.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Awaitable
    from typing import Any

_loop: AbstractEventLoop | None = None


def run(awaitable: Awaitable[Any]) -> Any:
    """Wait for the awaitable's result on the process's event loop."""
    global _loop  # noqa: PLW0603 - one loop per process is the point
    if _loop is None or _loop.is_closed():
        import asyncio

        _loop = asyncio.new_event_loop()
        asyncio.set_event_loop(_loop)
    return _loop.run_until_complete(_result_of(awaitable))


async def _result_of(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


def close() -> None:
    """Close the loop, if there is one; the next call makes another. An image must not hold its file
    descriptors."""
    global _loop
    if _loop is None:
        return
    import asyncio

    loop, _loop = _loop, None
    if not loop.is_closed():
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
    asyncio.set_event_loop(None)
