"""Protects the emulator from web pages.

Any page in a browser can send requests to loopback addresses. Two checks keep such pages out. Requests for host names
that are not this machine's are refused, which prevents DNS rebinding. Requests from pages of another origin are
refused unless the configuration of the function's URL allows them.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

_LOCAL = frozenset({"localhost", "ip6-localhost"})
UNKNOWN = "unknown"
"""The origin of a page that the browser does not name."""


class OriginPolicy:
    """Checks the headers of requests.

    Args:
        hosts: Host names that are allowed besides this machine's own.
        origins: Origins whose pages are allowed; `*` allows all.
    """

    def __init__(self, *, hosts: Sequence[str] = (), origins: Sequence[str] = ()) -> None:
        self._hosts = frozenset(host.lower() for host in hosts)
        self._origins = frozenset(origin.lower().rstrip("/") for origin in origins)

    def allows_host(self, headers: Mapping[str, str]) -> bool:
        """Return whether a request is for a name or an IP address of this machine. Only names can be rebound."""
        name = _host_name(headers.get("Host", ""))
        return name in _LOCAL or name.endswith(".localhost") or name in self._hosts or _is_address(name)

    def foreign_origin(self, headers: Mapping[str, str]) -> str | None:
        """Return the origin of the page that sent a request if it is foreign and not allowed, else None."""
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
