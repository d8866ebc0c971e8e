"""HTTP handlers of function URLs, at `/url/NAME/...`, and of API Gateway's routes, at their own paths."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Sequence
from typing import Any

from aiohttp import web

from pyl.emulator.cors import Cors
from pyl.emulator.emulator import Emulator, Throttled
from pyl.emulator.http_events import HTTPRequest, http_api_event, rest_api_event, url_event
from pyl.emulator.http_responses import (
    PRELUDE_UNFINISHED,
    BadResponse,
    HTTPResponse,
    Prelude,
    is_prelude,
    parse_whole_response,
)
from pyl.emulator.invocation import Outcome
from pyl.emulator.origin_policy import OriginPolicy
from pyl.emulator.routes import Match, Route, RouteTable, takes_rest_events
from pyl.errors import PylError
from pyl.project.model import Function

_NO_BODY = frozenset({204, 304})


class HTTPFrontend:
    """HTTP handlers of function URLs and routes.

    Args:
        emulator: Runs the functions.
        policy: Which web pages may send requests.
        show: Receives log lines: the name of a function, and the line. The reason of a bad response is logged only.
        routes: Routes besides those of the functions' triggers.
    """

    def __init__(
        self, emulator: Emulator, policy: OriginPolicy, show: Callable[[str, str], None], routes: Sequence[Route] = ()
    ) -> None:
        self._emulator = emulator
        self._policy = policy
        self._show = show
        self._additional_routes = tuple(routes)

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the handlers. Add them last: they match every path."""
        return [
            web.route("*", "/url/{name}", self.url),
            web.route("*", "/url/{name}/{path:.*}", self.url),
            web.route("*", "/{path:.*}", self.route),
        ]

    async def url(self, request: web.Request) -> web.StreamResponse:
        """Handle a request to a function URL."""
        try:
            function = self._emulator.function(request.match_info["name"])
        except PylError as error:
            return _problem(404, error)
        settings = function.configuration.deployment
        cors = Cors(settings.url_origins or ())
        origin = request.headers.get("Origin", "")
        if foreign := self._policy.foreign_origin(request.headers):
            if not cors.allows(foreign):
                return forbidden(foreign, f"set url_origins in [tool.pyl.functions.{function.name}]")
            if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
                requested = request.headers.get("Access-Control-Request-Headers", "")
                return web.Response(headers=cors.preflight(foreign, requested))
        path = _raw_path(request).removeprefix(f"/url/{request.match_info['name']}") or "/"
        received = await _read_request(request, path)
        event = url_event(received, api=function.name)
        exchange = _HTTPExchange(request, cors.headers(origin) if origin else {}, infer=True, failure=(502, "Message"))
        return await self._serve(function, event, exchange, received.id, stream=settings.url_mode != "BUFFERED")

    async def route(self, request: web.Request) -> web.StreamResponse:
        """Handle a request to a route of API Gateway."""
        if foreign := self._policy.foreign_origin(request.headers):
            return forbidden(foreign, "start `pyl watch` with --allow-origin")
        try:
            table = RouteTable.from_functions(self._emulator.project.functions, self._additional_routes)
            path = _raw_path(request)
            match = table.match(request.method, path)
            if match is None:
                return self._index(request, table)
            function = self._emulator.function(match.route.function)
        except PylError as error:
            return _problem(502, error)
        rest = takes_rest_events(function)
        received = await _read_request(request, path)
        event = _route_event(received, match, rest=rest)
        failure = (502, "message") if rest else (500, "message")
        exchange = _HTTPExchange(request, {}, infer=not rest, failure=failure)
        return await self._serve(function, event, exchange, received.id, stream=False)

    async def _serve(
        self, function: Function, event: dict[str, Any], exchange: _HTTPExchange, request_id: str, *, stream: bool
    ) -> web.StreamResponse:
        invocation = self._emulator.invocation(function, json.dumps(event).encode(), request_id=request_id)
        try:
            outcome = await self._emulator.invoke(function, invocation, exchange if stream else None)
            return await exchange.end(outcome)
        except Throttled as error:
            return _problem(429, error)
        except PylError as error:
            return _problem(502, error)
        except BadResponse as error:
            self._show(function.name, f"the response cannot be sent over HTTP: {error}")
            return await exchange.fail()

    def _index(self, request: web.Request, table: RouteTable) -> web.Response:
        """Return a list of all addresses, for a request that matches none of them."""
        base = f"{request.scheme}://{request.host}"
        project = self._emulator.project
        lines = [f"{project.name}: local Lambda. Functions:"]
        lines += [f"  {function.name:24} {base}/url/{function.name}/" for function in project.functions]
        if table.routes:
            lines.append("Routes:")
            lines += [f"  {route.key:24} {route.function}" for route in table.routes]
        lines.append(f"For SDKs and the AWS CLI: export AWS_ENDPOINT_URL_LAMBDA={base}")
        status = 200 if _raw_path(request) == "/" else 404
        return web.Response(status=status, text="\n".join(lines) + "\n")


class _HTTPExchange:
    """Sends a function's response to the client, at once or streamed."""

    def __init__(self, request: web.Request, added: dict[str, str], *, infer: bool, failure: tuple[int, str]) -> None:
        self._request = request
        self._added = added
        self._infer = infer
        self._failure = failure
        self._prelude: Prelude | None = None
        self._response: web.StreamResponse | None = None

    async def begin(self, content_type: str) -> None:
        """See `Sink`."""
        if is_prelude(content_type):
            self._prelude = Prelude()
        else:
            await self._prepare(HTTPResponse(headers=(("content-type", content_type),)))

    async def write(self, piece: bytes) -> None:
        """See `Sink`."""
        if self._prelude:
            parsed = self._prelude.feed(piece)
            if parsed is None:
                return
            self._prelude = None
            response, piece = parsed
            await self._prepare(response)
        if self._response and piece:
            with contextlib.suppress(ConnectionError):  # the client has left; as in Lambda, the function continues
                await self._response.write(piece)

    async def end(self, outcome: Outcome) -> web.StreamResponse:
        """Send what was not streamed, and return the response.

        Raises:
            BadResponse: The function's response cannot be sent over HTTP.
        """
        if outcome.error:
            return await self.fail()
        if outcome.streamed:
            if self._response is None:
                raise BadResponse(PRELUDE_UNFINISHED)
            with contextlib.suppress(ConnectionError):
                await self._response.write_eof()
            return self._response
        response = parse_whole_response(outcome.payload, outcome.content_type, infer=self._infer)
        body = b"" if response.status in _NO_BODY else response.body
        return web.Response(status=response.status, headers=self._headers(response), body=body)

    async def fail(self) -> web.StreamResponse:
        """Send an error, or close the connection if the response has begun."""
        if self._response is not None:
            if self._request.transport:
                self._request.transport.abort()
            return self._response
        status, key = self._failure
        return web.json_response({key: "Internal Server Error"}, status=status, headers=self._added)

    async def _prepare(self, response: HTTPResponse) -> None:
        self._response = web.StreamResponse(status=response.status, headers=self._headers(response))
        with contextlib.suppress(ConnectionError):
            await self._response.prepare(self._request)

    def _headers(self, response: HTTPResponse) -> list[tuple[str, str]]:
        """Return the response's headers. Those of the URL replace headers of the same names."""
        headers = [(name, text) for name, text in response.headers if name.lower() not in self._added]
        if not response.has("content-type"):
            headers.append(("content-type", "application/octet-stream"))
        return [*headers, *self._added.items()]


def forbidden(origin: str, remedy: str) -> web.Response:
    """Return the response to a page of another origin. `remedy` says how to allow it."""
    text = f"requests from pages of another origin ({origin}) are refused; to allow them, {remedy}\n"
    return web.Response(status=403, text=text)


def _route_event(request: HTTPRequest, match: Match, *, rest: bool) -> dict[str, Any]:
    if rest:
        return rest_api_event(request, resource=match.route.resource, path_parameters=match.parameters)
    return http_api_event(request, route=match.route.key, path_parameters=match.parameters)


def _raw_path(request: web.Request) -> str:
    """Return the path as it was sent, with its escapes."""
    target = request.raw_path
    if "://" in target.partition("?")[0]:
        target = "/" + target.partition("://")[2].partition("/")[2]
    return target.partition("?")[0]


async def _read_request(request: web.Request, path: str) -> HTTPRequest:
    version = request.version
    return HTTPRequest(
        method=request.method,
        path=path,
        query=request.raw_path.partition("?")[2],
        headers=tuple(request.headers.items()),
        body=await request.read(),
        source=request.remote or "127.0.0.1",
        protocol=f"HTTP/{version.major}.{version.minor}",
    )


def _problem(status: int, error: PylError) -> web.Response:
    text = f"{error.message}\n{error.hint}\n" if error.hint else f"{error.message}\n"
    return web.Response(status=status, text=text)
