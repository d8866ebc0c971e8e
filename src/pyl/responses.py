"""Typed responses of functions behind API Gateway and function URLs, under AWS's own JSON names.

`body` takes text, bytes, or anything that a function may return. As soon as the response is made it holds what
AWS wants: text; base64 for bytes, with `is_base64_encoded` set; JSON for the rest, with a content type.
The body of a `StreamingResponse` is sent while it is made.
"""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import AsyncIterable, Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct, field

from pyl.json.codec import encode


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


class StreamingResponse:
    """The answer of a streamed function URL, or of a REST API that streams: head first, body while it is made.

    `body` gives text or bytes: a generator, an asynchronous one, an open file, any iterable. Nothing is sent before
    its first part is there; an empty part sends the head.

    Raises:
        TypeError: the body can be none.
    """

    def __init__(
        self,
        body: Iterable[str | bytes] | AsyncIterable[str | bytes],
        *,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        cookies: Sequence[str] = (),
        multi_value_headers: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        if not (hasattr(body, "__iter__") or hasattr(body, "__aiter__")) or isinstance(body, Mapping):
            msg = f"the body of a StreamingResponse gives text or bytes, part by part; {type(body).__name__} does not"
            raise TypeError(msg)
        self.body = body
        self.status_code = status_code
        self.headers = dict(headers or {})
        self.cookies = list(cookies)
        """The values of `Set-Cookie` headers: `name=value; HttpOnly`."""
        self.multi_value_headers = {name: list(values) for name, values in (multi_value_headers or {}).items()}
        """Headers that repeat; for REST APIs only."""

    def metadata(self) -> dict[str, Any]:
        """Return what is sent ahead of the body, under AWS's names."""
        named: dict[str, Any] = {"statusCode": self.status_code, "headers": self.headers}
        if self.multi_value_headers:
            named["multiValueHeaders"] = self.multi_value_headers
        if self.cookies:
            named["cookies"] = self.cookies
        return named


def encoded_body(body: bytes) -> tuple[str, bool]:
    """Return a body as AWS takes it in JSON, and whether that is base64: what is no text is."""
    try:
        return body.decode("utf-8"), False
    except UnicodeDecodeError:
        return b2a_base64(body, newline=False).decode("ascii"), True
