"""The event loop of `async def` handlers: one for each process, created at the first call.

It is not created at import, so that a process image contains none. It is kept between invocations, and so are clients
that are bound to it. Tasks that a handler leaves behind continue during the next invocation.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Awaitable
    from typing import Any

_loop: AbstractEventLoop | None = None


def run(awaitable: Awaitable[Any]) -> Any:
    """Run an awaitable on the process's event loop, and return its result.

    Raises:
        Exception: What the awaitable raised.
    """
    global _loop  # noqa: PLW0603 - one loop for each process
    if _loop is None or _loop.is_closed():
        import asyncio

        _loop = asyncio.new_event_loop()
        asyncio.set_event_loop(_loop)
    return _loop.run_until_complete(_await(awaitable))


async def _await(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


def close() -> None:
    """Close the event loop, if there is one; the next call creates another.

    An image must not contain its file descriptors.
    """
    global _loop
    if _loop is None:
        return
    import asyncio

    loop, _loop = _loop, None
    if not loop.is_closed():
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
    asyncio.set_event_loop(None)
