"""What a function returned as the HTTP response that a function URL or API Gateway makes of it."""

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
ENDLESS = "its stream has no end of the prelude"

_NOT_THE_FUNCTIONS = frozenset({"connection", "content-length", "date", "keep-alive", "transfer-encoding", "upgrade"})
"""Headers that belong to the connection; whoever sends the response sets them."""


class BadResponse(Exception):
    """The function's response is none that could be sent. The message says why."""


@dataclass(frozen=True, kw_only=True)
class HTTPResponse:
    """Status, headers (with one `set-cookie` for each cookie) and body."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = field(default=b"", repr=False)

    def has(self, name: str) -> bool:
        """Whether it has a header of that name, given in lower case."""
        return any(key.lower() == name for key, _ in self.headers)


def response_of(payload: bytes, *, infer: bool = True) -> HTTPResponse:
    """The response that a function returned.

    With `infer`, as in payload format 2.0, JSON without a `statusCode` is the body of a successful response.
    Raises `BadResponse`.
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


def whole_response(payload: bytes, content_type: str, *, infer: bool = True) -> HTTPResponse:
    """As `response_of`, also for a streamed response that was put together. Raises `BadResponse`."""
    if not is_prelude(content_type):
        return response_of(payload, infer=infer)
    found = Prelude().feed(payload)
    if found is None:
        raise BadResponse(ENDLESS)
    return HTTPResponse(status=found[0].status, headers=found[0].headers, body=found[1])


def is_prelude(content_type: str) -> bool:
    """Whether a streamed response begins with its status and headers."""
    return content_type.partition(";")[0].strip().lower() == STREAMED


class Prelude:
    """Finds the status, headers and cookies at the beginning of a streamed response."""

    def __init__(self) -> None:
        self._received = b""

    def feed(self, piece: bytes) -> tuple[HTTPResponse, bytes] | None:
        """The response, and what of its body has come with it; None as long as the prelude is not complete.

        Raises `BadResponse`.
        """
        self._received += piece
        text, end, rest = self._received.partition(_PRELUDE_END)
        if not end:
            if len(self._received) > _PRELUDE_LIMIT:
                raise BadResponse(ENDLESS)
            return None
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            msg = f"the prelude of its stream is not JSON: {error}"
            raise BadResponse(msg) from error
        if not isinstance(value, dict):
            msg = "the prelude of its stream is no JSON object"
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
        msg = "its headers are no object of strings, or its cookies no list"
        raise BadResponse(msg)
    repeated = {name.lower() for name in multiple}
    pairs = [(name, text) for name, text in single.items() if name.lower() not in repeated]
    for name, texts in multiple.items():
        pairs += [(name, text) for text in (texts if isinstance(texts, list) else [texts])]
    pairs += [("set-cookie", cookie) for cookie in cookies]
    return tuple((name, _text(name, text)) for name, text in pairs if name.lower() not in _NOT_THE_FUNCTIONS)


def _text(name: str, value: Any) -> str:
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
        msg = f"its body is no base64: {error}"
        raise BadResponse(msg) from error
