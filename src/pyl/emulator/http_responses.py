"""Converts what a function returned to an HTTP response, as function URLs and API Gateway do."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

STREAMED = "application/vnd.awslambda.http-integration-response"
"""Content type of a streamed response that begins with a prelude."""
_PRELUDE_END = bytes(8)
_PRELUDE_LIMIT = 1 << 20
PRELUDE_UNFINISHED = "the prelude of its stream has no end"

_CONNECTION_HEADERS = frozenset({"connection", "content-length", "date", "keep-alive", "transfer-encoding", "upgrade"})
"""Headers of the connection, which the server sets. A function cannot."""


class BadResponse(Exception):
    """The function's response cannot be sent over HTTP. The message says why."""


@dataclass(frozen=True, kw_only=True)
class HTTPResponse:
    """Status, headers and body. Each cookie has a `set-cookie` header."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = field(default=b"", repr=False)

    def has(self, name: str) -> bool:
        """Return whether there is a header of a name, given in lower case."""
        return any(key.lower() == name for key, _ in self.headers)


def parse_response(payload: bytes, *, infer: bool = True) -> HTTPResponse:
    """Return the HTTP response for what a function returned.

    Args:
        payload: What the function returned, as JSON.
        infer: Take anything without a `statusCode` as the body of a successful response, as payload format 2.0 does.

    Raises:
        BadResponse: The payload cannot be sent over HTTP.
    """
    try:
        value = json.loads(payload)
    except (ValueError, RecursionError) as error:
        if infer:
            return HTTPResponse(headers=(("content-type", "application/octet-stream"),), body=payload)
        msg = f"it is not JSON: {error}"
        raise BadResponse(msg) from error
    if not isinstance(value, dict) or "statusCode" not in value:
        if infer:
            return HTTPResponse(headers=(("content-type", "application/json"),), body=payload)
        msg = "it has no statusCode"
        raise BadResponse(msg)
    response = HTTPResponse(status=_status(value["statusCode"]), headers=_headers(value), body=_body(value))
    if infer and not response.has("content-type"):
        headers = (*response.headers, ("content-type", "application/json"))
        response = HTTPResponse(status=response.status, headers=headers, body=response.body)
    return response


def parse_whole_response(payload: bytes, content_type: str, *, infer: bool = True) -> HTTPResponse:
    """Return the HTTP response for what a function returned, or for a streamed response that was collected.

    Args:
        payload: What the function returned or streamed.
        content_type: Content type of the payload, which shows whether it begins with a prelude.
        infer: See `parse_response`.

    Raises:
        BadResponse: The payload cannot be sent over HTTP.
    """
    if not is_prelude(content_type):
        return parse_response(payload, infer=infer)
    parsed = Prelude().feed(payload)
    if parsed is None:
        raise BadResponse(PRELUDE_UNFINISHED)
    head, body = parsed
    return HTTPResponse(status=head.status, headers=head.headers, body=body)


def is_prelude(content_type: str) -> bool:
    """Return whether a streamed response of this content type begins with a prelude."""
    return content_type.partition(";")[0].strip().lower() == STREAMED


class Prelude:
    """Parses the prelude of a streamed response: status, headers and cookies as JSON, followed by 8 zero bytes."""

    def __init__(self) -> None:
        self._received = b""

    def feed(self, piece: bytes) -> tuple[HTTPResponse, bytes] | None:
        """Add a piece of the stream.

        Returns:
            The response, and the beginning of its body; None while the prelude is not complete.

        Raises:
            BadResponse: The prelude is invalid or too long.
        """
        self._received += piece
        text, end, rest = self._received.partition(_PRELUDE_END)
        if not end:
            if len(self._received) > _PRELUDE_LIMIT:
                raise BadResponse(PRELUDE_UNFINISHED)
            return None
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            msg = f"the prelude of its stream is not JSON: {error}"
            raise BadResponse(msg) from error
        if not isinstance(value, dict):
            msg = "the prelude of its stream is not a JSON object"
            raise BadResponse(msg)
        return HTTPResponse(status=_status(value.get("statusCode", 200)), headers=_headers(value)), rest


def _status(value: Any) -> int:
    try:
        status = int(value)
    except (TypeError, ValueError):
        status = 0
    if isinstance(value, bool) or not 200 <= status <= 599:
        msg = f"its statusCode is {value!r}"
        raise BadResponse(msg)
    return status


def _headers(value: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    multiple = value.get("multiValueHeaders") or {}
    single = value.get("headers") or {}
    cookies = value.get("cookies") or []
    if not isinstance(single, dict) or not isinstance(multiple, dict) or not isinstance(cookies, list):
        msg = "its headers are not an object, or its cookies are not a list"
        raise BadResponse(msg)
    repeated = {name.lower() for name in multiple}
    pairs = [(name, text) for name, text in single.items() if name.lower() not in repeated]
    for name, texts in multiple.items():
        pairs += [(name, text) for text in (texts if isinstance(texts, list) else [texts])]
    pairs += [("set-cookie", cookie) for cookie in cookies]
    return tuple((name, _header_text(name, text)) for name, text in pairs if name.lower() not in _CONNECTION_HEADERS)


def _header_text(name: str, value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    if any(character in name + text for character in "\r\n\0") or not name.isascii() or not name:
        msg = f"its header {name!r} cannot be sent"
        raise BadResponse(msg)
    return text


def _body(value: Mapping[str, Any]) -> bytes:
    body = value.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        return json.dumps(body, separators=(",", ":")).encode()
    if not value.get("isBase64Encoded"):
        return body.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        msg = f"its body is not base64: {error}"
        raise BadResponse(msg) from error
