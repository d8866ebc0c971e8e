"""Typed responses of functions behind API Gateway and function URLs.

`body` takes text, bytes, or anything else that a function may return. The response encodes it at once as AWS requires:
text stays as it is, bytes become base64 with `is_base64_encoded` set, everything else becomes JSON with a content type.
The body of a `StreamingResponse` is sent while it is generated.
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
    # A factory function, because encoding omits plain defaults, and AWS refuses a response without a status.
    status_code: int = field(default_factory=_status_ok)
    """HTTP status."""
    headers: dict[str, str] = field(default_factory=dict)
    """Headers by name."""
    body: Any = None
    """Body: text, bytes, or any value that has a form in JSON. Encoded when the response is created."""
    is_base64_encoded: bool = False
    """Whether `body` is base64. Set by itself when `body` is bytes."""

    def __post_init__(self) -> None:
        if self.body is None or isinstance(self.body, str):
            return
        if isinstance(self.body, bytes | bytearray | memoryview):
            self.body = b2a_base64(self.body, newline=False).decode("ascii")
            self.is_base64_encoded = True
            return
        self.body = encode(self.body).decode()
        if not self._has_content_type():
            self.headers = {"content-type": "application/json", **self.headers}

    def _has_content_type(self) -> bool:
        return any(name.lower() == "content-type" for name in self.headers)


class APIGatewayResponse(_Response, kw_only=True):
    """Response to an `APIGatewayEvent` (REST API, proxy integration).

    https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html

    Example:
        ```python
        return APIGatewayResponse(status_code=201, body={"id": 7})
        ```
    """

    multi_value_headers: dict[str, list[str]] = field(default_factory=dict)
    """Headers with several values, such as `Set-Cookie`, by name."""

    def _has_content_type(self) -> bool:
        return any(name.lower() == "content-type" for name in (*self.headers, *self.multi_value_headers))


class HTTPAPIResponse(_Response, kw_only=True):
    """Response to an `HTTPAPIEvent` (HTTP API, payload version 2.0).

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html

    Example:
        ```python
        return HTTPAPIResponse(body=page, headers={"content-type": "text/html"}, cookies=["id=7; HttpOnly"])
        ```
    """

    cookies: list[str] = field(default_factory=list)
    """Values of `Set-Cookie` headers, such as `name=value; HttpOnly`."""


class FunctionURLResponse(HTTPAPIResponse, kw_only=True):
    """Response to a `FunctionURLEvent`.

    https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
    """


class StreamingResponse:
    """Response whose body is sent while it is generated, for function URLs and REST APIs that stream.

    Nothing is sent before the first part of the body is there; an empty part sends the status and the headers.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html

    Example:
        ```python
        return StreamingResponse((row.to_csv() for row in rows), headers={"content-type": "text/csv"})
        ```
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
        """Create a response.

        Args:
            body: Parts of the body, text or bytes: a generator, an asynchronous generator, an open file, any iterable.
            status_code: HTTP status.
            headers: Headers by name.
            cookies: Values of `Set-Cookie` headers, such as `name=value; HttpOnly`.
            multi_value_headers: Headers with several values, by name; for REST APIs only.

        Raises:
            TypeError: The body is not an iterable of parts.
        """
        if not (hasattr(body, "__iter__") or hasattr(body, "__aiter__")) or isinstance(body, Mapping):
            msg = f"the body of a StreamingResponse gives text or bytes, part by part; {type(body).__name__} does not"
            raise TypeError(msg)
        self.body = body
        self.status_code = status_code
        self.headers = dict(headers or {})
        self.cookies = list(cookies)
        self.multi_value_headers = {name: list(values) for name, values in (multi_value_headers or {}).items()}

    def metadata(self) -> dict[str, Any]:
        """Return the JSON object that is sent before the body: status, headers, cookies, under AWS's names."""
        fields: dict[str, Any] = {"statusCode": self.status_code, "headers": self.headers}
        if self.multi_value_headers:
            fields["multiValueHeaders"] = self.multi_value_headers
        if self.cookies:
            fields["cookies"] = self.cookies
        return fields


def encoded_body(body: bytes) -> tuple[str, bool]:
    """Return a body as text, and whether the text is base64: it is for bytes that are not UTF-8."""
    try:
        return body.decode("utf-8"), False
    except UnicodeDecodeError:
        return b2a_base64(body, newline=False).decode("ascii"), True
