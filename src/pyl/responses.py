"""Typed responses of functions behind API Gateway and function URLs, under AWS's own JSON names.

`body` takes text, bytes, or anything that a function may return. As soon as the response is made it holds what
AWS wants: text; base64 for bytes, with `is_base64_encoded` set; JSON for the rest, with a content type.
"""

from __future__ import annotations

from binascii import b2a_base64
from typing import Any

from msgspec import Struct, field

from pyl.runtime.codec import encode


def _status_ok() -> int:
    return 200


class _Response(Struct, kw_only=True, rename="camel", omit_defaults=True):
    # A factory, because encoding leaves out plain defaults, and AWS refuses a response without a status.
    status_code: int = field(default_factory=_status_ok)
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    is_base64_encoded: bool = False

    def __post_init__(self) -> None:
        if self.body is None or isinstance(self.body, str):
            return
        if isinstance(self.body, bytes | bytearray | memoryview):
            self.body = b2a_base64(self.body, newline=False).decode("ascii")
            self.is_base64_encoded = True
            return
        self.body = encode(self.body).decode()
        if not self._names_content_type():
            self.headers = {"content-type": "application/json", **self.headers}

    def _names_content_type(self) -> bool:
        return any(name.lower() == "content-type" for name in self.headers)


class APIGatewayResponse(_Response, kw_only=True):
    """The answer to an `APIGatewayEvent`. A header that repeats (`Set-Cookie`) is a multi-value header."""

    multi_value_headers: dict[str, list[str]] = field(default_factory=dict)

    def _names_content_type(self) -> bool:
        return any(name.lower() == "content-type" for name in (*self.headers, *self.multi_value_headers))


class HTTPAPIResponse(_Response, kw_only=True):
    """The answer to an `HTTPAPIEvent`."""

    cookies: list[str] = field(default_factory=list)
    """The values of `Set-Cookie` headers: `name=value; HttpOnly`."""


class FunctionURLResponse(HTTPAPIResponse, kw_only=True):
    """The answer to a `FunctionURLEvent`."""
