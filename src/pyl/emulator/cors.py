"""Cross-origin requests to function URLs, answered as Lambda answers them when `pyl deploy` has configured the URL.

All methods and headers are allowed to pages of the origins in `url_origins`, without credentials.

https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html#urls-cors
"""

from __future__ import annotations

from collections.abc import Sequence

_METHODS = "GET,HEAD,POST,PUT,PATCH,DELETE"


class Cors:
    """What pages of which origins may do with a URL."""

    def __init__(self, origins: Sequence[str]) -> None:
        self._origins = origins

    def allows(self, origin: str) -> bool:
        """Whether pages of an origin may call the URL."""
        return "*" in self._origins or any(_matches(origin, allowed) for allowed in self._origins)

    def headers(self, origin: str) -> dict[str, str]:
        """What is added to every response to a page of `origin`, in place of what the function says."""
        if not self.allows(origin):
            return {}
        if "*" in self._origins:
            return {"access-control-allow-origin": "*"}
        return {"access-control-allow-origin": origin, "vary": "Origin"}

    def preflight(self, origin: str, wanted_headers: str) -> dict[str, str]:
        """The answer to the browser's question before a request that is not simple."""
        headers = self.headers(origin)
        if not headers:
            return {}
        headers |= {"access-control-allow-methods": _METHODS, "access-control-max-age": "5"}
        if wanted_headers:
            headers["access-control-allow-headers"] = wanted_headers
        return headers


def _matches(origin: str, allowed: str) -> bool:
    return origin.lower() == allowed.lower().rstrip("/")
