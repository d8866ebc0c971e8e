"""The HTTP server of the emulator, on loopback by default."""

from __future__ import annotations

import errno
import ipaddress
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Self

from aiohttp import web

from pyl.emulator.emulator import Emulator
from pyl.emulator.http_api import HTTPFrontend, forbidden
from pyl.emulator.invoke_api import LARGEST_REQUEST, InvokeAPI
from pyl.emulator.origin_policy import OriginPolicy
from pyl.emulator.routes import Route
from pyl.errors import UsageError

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """Serves an emulator over HTTP. An async context manager.

    Args:
        emulator: Runs the functions.
        show: Receives log lines: the name of a function, and the line.
        host: Address to listen on.
        port: Port to listen on; 0 for any free one.
        policy: Which web pages and host names are allowed.
        routes: Routes besides those of the functions' triggers.
    """

    def __init__(
        self,
        emulator: Emulator,
        *,
        show: Callable[[str, str], None],
        host: str = "127.0.0.1",
        port: int = 0,
        policy: OriginPolicy | None = None,
        routes: Sequence[Route] = (),
    ) -> None:
        self._host = host
        self._port = port
        self._policy = policy or OriginPolicy()
        app = web.Application(client_max_size=LARGEST_REQUEST, middlewares=[self._check])
        app.add_routes(InvokeAPI(emulator).routes())
        app.add_routes(HTTPFrontend(emulator, self._policy, show, routes).routes())
        # aiohttp logs only that clients have disconnected.
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
            msg = f"cannot listen on {self._host} port {self._port}: {_reason(error)}"
            raise UsageError(msg, hint="choose another port with --port, or 0 for any free one") from error
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self._runner.cleanup()

    @property
    def address(self) -> str:
        """URL of the server: `http://127.0.0.1:9000`."""
        host, port = self._runner.addresses[0][:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    @web.middleware
    async def _check(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        if not self._policy.allows_host(request.headers):
            text = f"{request.headers.get('Host', '')!r} is not a name of this server; to allow it, use --allow-host\n"
            return web.Response(status=403, text=text)
        foreign = self._policy.foreign_origin(request.headers)
        if foreign and request.path.startswith(("/2015-03-31/", "/2021-11-15/")):
            return forbidden(foreign, "start `pyl watch` with --allow-origin")
        try:
            return await handler(request)
        except web.HTTPRequestEntityTooLarge:
            return web.Response(status=413, text=f"a request may have at most {LARGEST_REQUEST - 1} bytes\n")


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach a server on `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _reason(error: OSError) -> str:
    return "the port is in use" if error.errno == errno.EADDRINUSE else (error.strerror or str(error))
