"""Who may use the emulator: programs of this machine; of web pages, only those that are meant to.

Any page that a browser shows can send requests to loopback addresses. It is kept out in two ways: names of hosts
other than this machine's own are refused, so that a foreign name cannot be pointed here (DNS rebinding), and so are
requests of pages of another origin, unless the function's URL is configured to allow it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

_LOCAL = frozenset({"localhost", "ip6-localhost"})
UNKNOWN = "unknown"
"""Stands for the origin of a page that the browser does not name."""


class Guard:
    """Judges requests by their headers; `hosts` and `origins` are allowed besides."""

    def __init__(self, *, hosts: Sequence[str] = (), origins: Sequence[str] = ()) -> None:
        self._hosts = frozenset(host.lower() for host in hosts)
        self._origins = frozenset(origin.lower().rstrip("/") for origin in origins)

    def knows_host(self, headers: Mapping[str, str]) -> bool:
        """Whether the request was sent to a name of this machine. An address cannot be pointed elsewhere."""
        name = _host_name(headers.get("Host", ""))
        return name in _LOCAL or name.endswith(".localhost") or name in self._hosts or _is_address(name)

    def foreign_origin(self, headers: Mapping[str, str]) -> str | None:
        """The origin of the page that sent a request, if it is another one and not allowed for all functions."""
        origin = headers.get("Origin")
        if origin is None:
            site = headers.get("Sec-Fetch-Site", "none").lower()
            return None if site in {"none", "same-origin"} or "*" in self._origins else UNKNOWN
        if "*" in self._origins or origin.lower() in self._origins:
            return None
        split = urlsplit(origin) if "://" in origin else None
        own = split is not None and split.scheme == "http" and split.netloc.lower() == headers.get("Host", "").lower()
        return None if own else origin


def _host_name(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
