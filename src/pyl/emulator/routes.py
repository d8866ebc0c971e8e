"""The routes of an API Gateway: which function answers a method and path.

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
    """`GET /orders/{id}`, `ANY /files/{proxy+}` or `$default`, and the name of its function."""

    key: str
    function: str
    parts: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        method, separator, path = self.key.partition(" ")
        if self.key != DEFAULT and (method not in METHODS or not separator or not path.startswith("/")):
            msg = f"{self.key!r} is no route"
            raise UsageError(msg, hint=f"write `GET /orders/{{id}}`, `ANY /files/{{proxy+}}` or `{DEFAULT}`")
        object.__setattr__(self, "parts", tuple(path.strip("/").split("/")))

    @property
    def method(self) -> str:
        """ANY for all."""
        return "ANY" if self.key == DEFAULT else self.key.partition(" ")[0]

    @property
    def resource(self) -> str:
        """The path, as a REST API calls it."""
        return "/{proxy+}" if self.key == DEFAULT else self.key.partition(" ")[2]


@dataclass(frozen=True, kw_only=True)
class Match:
    """A route that fits a request, and what its variables stand for."""

    route: Route
    parameters: dict[str, str]


class RouteTable:
    """Finds the most specific route: literal parts before variables, these before `{proxy+}`, a method before ANY."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = tuple(routes)

    @classmethod
    def of(cls, functions: Iterable[Function], further: Iterable[Route] = ()) -> RouteTable:
        """The routes that functions have as triggers, and further ones."""
        triggers = (
            Route(key=trigger.route, function=function.name)
            for function in functions
            for trigger in function.configuration.triggers
            if isinstance(trigger, HTTPAPITrigger)
        )
        return cls((*further, *triggers))

    def match(self, method: str, path: str) -> Match | None:
        """The route for a request; `path` is as sent, with its escapes."""
        found = []
        for route in self.routes:
            if route.method not in {"ANY", method}:
                continue
            fit = _fit(route, path)
            if fit is not None:
                parameters, rank = fit
                found.append(((*rank, route.method == "ANY"), Match(route=route, parameters=parameters)))
        return min(found, key=lambda item: item[0])[1] if found else None


def is_rest(function: Function) -> bool:
    """Whether the function takes a REST API's events (payload format 1.0)."""
    return function.event in _REST_EVENTS


def _fit(route: Route, path: str) -> tuple[dict[str, str], tuple[int, ...]] | None:
    """What the variables stand for, and how little was fixed: kinds of the parts, literal 0, variable 1, rest 2."""
    if route.key == DEFAULT:
        return {}, (3,)
    given = path.strip("/").split("/")
    parameters: dict[str, str] = {}
    rank: list[int] = []
    for index, part in enumerate(route.parts):
        variable = re.fullmatch(r"\{([^{}+]+)(\+?)\}", part)
        if variable and variable[2]:
            rest = "/".join(given[index:])
            if not rest:
                return None
            return parameters | {variable[1]: unquote(rest)}, (*rank, 2)
        if index >= len(given):
            return None
        if variable and given[index]:
            parameters[variable[1]] = unquote(given[index])
        elif part != unquote(given[index]):
            return None
        rank.append(1 if variable else 0)
    return (parameters, tuple(rank)) if len(given) == len(route.parts) else None
