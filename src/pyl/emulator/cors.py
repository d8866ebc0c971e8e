"""CORS headers of function URLs: those that Lambda adds for a URL that `pyl deploy` has configured.

Pages of the origins in `url_origins` may use all methods and headers, without credentials.

https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html#urls-cors
"""

from __future__ import annotations

from collections.abc import Sequence

_METHODS = "GET,HEAD,POST,PUT,PATCH,DELETE"


class Cors:
    """The CORS settings of one URL."""

    def __init__(self, origins: Sequence[str]) -> None:
        self._origins = origins

    def allows(self, origin: str) -> bool:
        """Return whether pages of `origin` may call the URL."""
        return "*" in self._origins or any(_matches(origin, allowed) for allowed in self._origins)

    def headers(self, origin: str) -> dict[str, str]:
        """Return the headers of every response to a page of `origin`. They replace the function's own."""
        if not self.allows(origin):
            return {}
        if "*" in self._origins:
            return {"access-control-allow-origin": "*"}
        return {"access-control-allow-origin": origin, "vary": "Origin"}

    def preflight(self, origin: str, requested_headers: str) -> dict[str, str]:
        """Return the headers of the response to a preflight request.

        Args:
            origin: The origin of the page.
            requested_headers: Value of the header `Access-Control-Request-Headers`; empty without one.
        """
        headers = self.headers(origin)
        if not headers:
            return {}
        headers |= {"access-control-allow-methods": _METHODS, "access-control-max-age": "5"}
        if requested_headers:
            headers["access-control-allow-headers"] = requested_headers
        return headers


def _matches(origin: str, allowed: str) -> bool:
    return origin.lower() == allowed.lower().rstrip("/")
