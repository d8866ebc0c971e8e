"""Results that are sent while they are made: what counts as one, its parts as bytes, and sending them.

Nothing is sent before the first part is there, so what fails until then is an error like any other; what fails later
is told by trailers. Imported when a result has no form in JSON, and not before.
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming
"""

from __future__ import annotations

import sys

from pyl.json import codec
from pyl.runtime import errors
from pyl.runtime.errors import MARSHAL_ERROR, Fault
from pyl.runtime.handlers import asynchronous
from pyl.runtime.logging import logs
from pyl.runtime.loop.chunked import ChunkedPost, Refused
from pyl.runtime.loop.client import RuntimeAPIError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from pyl.responses import StreamingResponse
    from pyl.runtime.errors import ErrorReport
    from pyl.runtime.loop.client import Client, Response

BINARY_TYPE = "application/octet-stream"
HTTP_TYPE = "application/vnd.awslambda.http-integration-response"
"""Says that status, headers and cookies come first, as JSON."""

DELIMITER = bytes(8)
"""Ends that JSON."""


class Stream:
    """The parts of a result, and what is said ahead of them."""

    def __init__(self, parts: Any, response: StreamingResponse | None = None) -> None:
        self.response = response
        self.is_asynchronous = hasattr(parts, "__aiter__")
        if isinstance(parts, str | bytes | bytearray | memoryview):
            parts = (parts,)
        self._source = parts

    @property
    def content_type(self) -> str:
        """That of the answer; the page's own is among the headers of its prelude."""
        return BINARY_TYPE if self.response is None else HTTP_TYPE

    def prelude(self) -> bytes:
        """Return what precedes the first part."""
        if self.response is None:
            return b""
        try:
            return codec.encode(self.response.metadata()) + DELIMITER
        except Exception as error:
            msg = f"Unable to marshal response: {errors.message_of(error)}"
            raise Fault(MARSHAL_ERROR, msg) from error

    def collect(self) -> bytes:
        """Return all parts at once."""
        found: list[bytes] = []
        self.send_to(_Collector(found))
        return b"".join(found)

    def send_to(self, post: ChunkedPost | _Collector) -> None:
        """Write every part, and close what they come from whatever happens. Raises what the user's code raises."""
        if self.is_asynchronous:
            asynchronous.run(self._send_all(post))
            return
        try:
            for part in self._source:
                post.write(as_bytes(part))
        finally:
            close = getattr(self._source, "close", None)
            if close is not None:
                close()

    async def _send_all(self, post: ChunkedPost | _Collector) -> None:
        # In one task: time limits and task groups of the user's code may stretch over several parts.
        try:
            async for part in self._source:
                await post.write_soon(as_bytes(part))
        finally:
            close = getattr(self._source, "aclose", None)
            if close is not None:
                await close()


class _Collector:
    def __init__(self, found: list[bytes]) -> None:
        self.write = found.append

    async def write_soon(self, data: bytes) -> None:
        self.write(data)


def stream_of(result: Any) -> Stream | None:
    """Return a result as a stream, if it is one: a `StreamingResponse`, an iterator, an asynchronous iterable."""
    responses = sys.modules.get("pyl.responses")
    if responses is not None and isinstance(result, responses.StreamingResponse):
        return Stream(result.body, result)
    if hasattr(result, "__next__") or hasattr(result, "__aiter__"):
        return Stream(result)
    return None


def buffered(stream: Stream) -> Any:
    """Return the whole of a stream as a result, for a caller that cannot stream: bytes, or an HTTP response."""
    body = stream.collect()
    response = stream.response
    if response is None:
        return body
    from pyl.responses import encoded_body

    text, is_base64 = encoded_body(body)
    return {**response.metadata(), "body": text, "isBase64Encoded": is_base64}


def as_bytes(part: Any) -> bytes:
    """Return a part as it is sent. Raises `Fault` for what is neither text nor bytes."""
    if isinstance(part, str):
        return part.encode()
    if isinstance(part, bytes | bytearray | memoryview):
        return bytes(part)
    msg = f"Unable to marshal response: a streamed result is made of text or bytes, not {type(part).__name__}"
    raise Fault(MARSHAL_ERROR, msg)


def send(
    client: Client, path: str, headers: Iterable[tuple[str, str]], stream: Stream, request_id: str
) -> Response | ErrorReport:
    """Send a stream as the answer of an invocation; returns Lambda's response.

    What failed before anything was sent is returned instead: it is to be posted as an error.

    Raises:
        RuntimeAPIError: the Runtime API went away.
    """
    try:
        prelude = stream.prelude()
    except Fault as fault:
        return errors.report(fault)
    post = ChunkedPost(client, path, [*headers, ("Content-Type", stream.content_type)], prelude)
    try:
        try:
            stream.send_to(post)
        except RuntimeAPIError:
            raise
        except Exception as error:  # noqa: BLE001 - the user's code may raise anything
            report = errors.report(error)
            if not post.begun:
                return report
            logs.report(report, request_id)
            logs.flush()
            return post.fail(report.header_type(), codec.encode(report.payload(request_id)))
        logs.flush()
        return post.finish()
    except Refused as refused:
        return refused.response
    finally:
        post.close()
