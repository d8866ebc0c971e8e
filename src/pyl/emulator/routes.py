"""The routes of an API Gateway: which function handles a method and path.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import unquote

from pyl.errors import UsageError
from pyl.project.config.triggers import HTTPAPITrigger
from pyl.project.model import Function

DEFAULT = "$default"
METHODS = frozenset({"ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_REST_EVENTS = frozenset({"pyl.events.APIGatewayEvent", "pyl.events.apigateway.APIGatewayEvent"})


@dataclass(frozen=True, kw_only=True)
class Route:
    """A route and its function.

    Attributes:
        key: `GET /orders/{id}`, `ANY /files/{proxy+}` or `$default`.
        function: The function's name.
        parts: The parts of the path, between slashes.

    Raises:
        UsageError: The key is invalid.
    """

    key: str
    function: str
    parts: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        method, separator, path = self.key.partition(" ")
        if self.key != DEFAULT and (method not in METHODS or not separator or not path.startswith("/")):
            msg = f"{self.key!r} is not a route"
            raise UsageError(msg, hint=f"write `GET /orders/{{id}}`, `ANY /files/{{proxy+}}` or `{DEFAULT}`")
        object.__setattr__(self, "parts", tuple(path.strip("/").split("/")))

    @property
    def method(self) -> str:
        """The HTTP method; `ANY` for all."""
        return "ANY" if self.key == DEFAULT else self.key.partition(" ")[0]

    @property
    def resource(self) -> str:
        """The path, in the syntax of a REST API."""
        return "/{proxy+}" if self.key == DEFAULT else self.key.partition(" ")[2]


@dataclass(frozen=True, kw_only=True)
class Match:
    """A route that matches a request, and the values of its path parameters."""

    route: Route
    parameters: dict[str, str]


class RouteTable:
    """Finds the most specific route for a request.

    A literal part precedes a variable, a variable precedes `{proxy+}`, and a method precedes `ANY`.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = tuple(routes)

    @classmethod
    def from_functions(cls, functions: Iterable[Function], additional: Iterable[Route] = ()) -> RouteTable:
        """Return a table of the routes that are triggers of functions, and of additional routes."""
        triggers = (
            Route(key=trigger.route, function=function.name)
            for function in functions
            for trigger in function.configuration.triggers
            if isinstance(trigger, HTTPAPITrigger)
        )
        return cls((*additional, *triggers))

    def match(self, method: str, path: str) -> Match | None:
        """Return the route for a request, or None. `path` is as it was sent, with its escapes."""
        matches = []
        for route in self.routes:
            if route.method not in {"ANY", method}:
                continue
            matched = _match_path(route, path)
            if matched is not None:
                parameters, rank = matched
                matches.append(((*rank, route.method == "ANY"), Match(route=route, parameters=parameters)))
        return min(matches, key=lambda item: item[0])[1] if matches else None


def takes_rest_events(function: Function) -> bool:
    """Return whether a function takes events of a REST API (payload format 1.0)."""
    return function.event in _REST_EVENTS


def _match_path(route: Route, path: str) -> tuple[dict[str, str], tuple[int, ...]] | None:
    """Match a path.

    Returns:
        The path parameters and the rank of the match, lower for a more specific one: for each part 0 if it is literal,
        1 for a variable, 2 for `{proxy+}`, 3 for `$default`. None if the path does not match.
    """
    if route.key == DEFAULT:
        return {}, (3,)
    segments = path.strip("/").split("/")
    parameters: dict[str, str] = {}
    rank: list[int] = []
    for index, part in enumerate(route.parts):
        variable = re.fullmatch(r"\{([^{}+]+)(\+?)\}", part)
        if variable and variable[2]:
            rest = "/".join(segments[index:])
            if not rest:
                return None
            return parameters | {variable[1]: unquote(rest)}, (*rank, 2)
        if index >= len(segments):
            return None
        if variable and segments[index]:
            parameters[variable[1]] = unquote(segments[index])
        elif part != unquote(segments[index]):
            return None
        rank.append(1 if variable else 0)
    return (parameters, tuple(rank)) if len(segments) == len(route.parts) else None
