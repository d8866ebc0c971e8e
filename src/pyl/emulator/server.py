"""The HTTP server in front of an emulator: on loopback unless told otherwise."""

from __future__ import annotations

import errno
import ipaddress
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Self

from aiohttp import web

from pyl.emulator.emulator import Emulator
from pyl.emulator.http_api import HTTPFrontend, refused
from pyl.emulator.invoke_api import LARGEST_REQUEST, InvokeAPI
from pyl.emulator.origin_policy import Guard
from pyl.emulator.routes import Route
from pyl.errors import UsageError

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """Listens at `host` and `port` (0: any that is free); an async context manager."""

    def __init__(
        self,
        emulator: Emulator,
        *,
        say: Callable[[str, str], None],
        host: str = "127.0.0.1",
        port: int = 0,
        guard: Guard | None = None,
        routes: Sequence[Route] = (),
    ) -> None:
        self._host = host
        self._port = port
        self._guard = guard or Guard()
        app = web.Application(client_max_size=LARGEST_REQUEST, middlewares=[self._check])
        app.add_routes(InvokeAPI(emulator).routes())
        app.add_routes(HTTPFrontend(emulator, self._guard, say, routes).routes())
        # Its own messages are about clients that went away.
        quiet = logging.getLogger("pyl.emulator.server")
        quiet.addHandler(logging.NullHandler())
        quiet.propagate = False
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.5, logger=quiet)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            msg = f"cannot listen at {self._host} port {self._port}: {_reason(error)}"
            raise UsageError(msg, hint="choose another with --port, or 0 for any that is free") from error
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self._runner.cleanup()

    @property
    def address(self) -> str:
        """Where it listens: `http://127.0.0.1:9000`."""
        host, port = self._runner.addresses[0][:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    @web.middleware
    async def _check(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        if not self._guard.knows_host(request.headers):
            text = f"{request.headers.get('Host', '')!r} is no name of this server; to allow it, use --allow-host\n"
            return web.Response(status=403, text=text)
        foreign = self._guard.foreign_origin(request.headers)
        if foreign and request.path.startswith(("/2015-03-31/", "/2021-11-15/")):
            return refused(foreign, "start `pyl watch` with --allow-origin")
        try:
            return await handler(request)
        except web.HTTPRequestEntityTooLarge:
            return web.Response(status=413, text=f"requests may have {LARGEST_REQUEST - 1} bytes\n")


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server at `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _reason(error: OSError) -> str:
    return "it is taken" if error.errno == errno.EADDRINUSE else (error.strerror or str(error))
