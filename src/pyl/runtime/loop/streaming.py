"""Streamed results: which results are streams, their parts as bytes, and how they are sent.

Nothing is sent before the first part is there, so earlier failures are errors like any other. Later failures are
reported in trailers. The module is imported only when a result has no form in JSON.
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
"""Content type of a body that starts with status, headers and cookies in JSON."""

DELIMITER = bytes(8)
"""Separates that JSON from the body."""


class Stream:
    """A result that consists of parts.

    Attributes:
        response: The HTTP response whose body this is, if any.
        is_asynchronous: Whether the parts come from an asynchronous iterable.
    """

    def __init__(self, parts: Any, response: StreamingResponse | None = None) -> None:
        self.response = response
        self.is_asynchronous = hasattr(parts, "__aiter__")
        if isinstance(parts, str | bytes | bytearray | memoryview):
            parts = (parts,)
        self._source = parts

    @property
    def content_type(self) -> str:
        """Content type of the answer. The content type of an HTTP response is in its prelude."""
        return BINARY_TYPE if self.response is None else HTTP_TYPE

    def prelude(self) -> bytes:
        """Return the bytes before the first part: of an HTTP response the status, headers and cookies.

        Raises:
            Fault: They have no form in JSON.
        """
        if self.response is None:
            return b""
        try:
            return codec.encode(self.response.metadata()) + DELIMITER
        except Exception as error:
            msg = f"Unable to marshal response: {errors.message_of(error)}"
            raise Fault(MARSHAL_ERROR, msg) from error

    def collect(self) -> bytes:
        """Return all parts joined.

        Raises:
            Exception: What the user's code raised.
        """
        parts: list[bytes] = []
        self.send_to(_Collector(parts))
        return b"".join(parts)

    def send_to(self, post: ChunkedPost | _Collector) -> None:
        """Write every part, and close the source of the parts in any case.

        Raises:
            Exception: What the user's code raised.
        """
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
        # In one task, because timeouts and task groups of the user's code may span several parts.
        try:
            async for part in self._source:
                await post.write_soon(as_bytes(part))
        finally:
            close = getattr(self._source, "aclose", None)
            if close is not None:
                await close()


class _Collector:
    def __init__(self, parts: list[bytes]) -> None:
        self.write = parts.append

    async def write_soon(self, data: bytes) -> None:
        self.write(data)


def stream_of(result: Any) -> Stream | None:
    """Return the stream of a `StreamingResponse`, an iterator or an asynchronous iterable, else `None`."""
    responses = sys.modules.get("pyl.responses")
    if responses is not None and isinstance(result, responses.StreamingResponse):
        return Stream(result.body, result)
    if hasattr(result, "__next__") or hasattr(result, "__aiter__"):
        return Stream(result)
    return None


def buffer(stream: Stream) -> Any:
    """Return a whole stream as one result, for a caller that cannot stream.

    Returns:
        Bytes, or an HTTP response in AWS's format.

    Raises:
        Exception: What the user's code raised.
    """
    body = stream.collect()
    response = stream.response
    if response is None:
        return body
    from pyl.responses import encoded_body

    text, is_base64 = encoded_body(body)
    return {**response.metadata(), "body": text, "isBase64Encoded": is_base64}


def as_bytes(part: Any) -> bytes:
    """Return a part as bytes.

    Raises:
        Fault: It is neither text nor bytes.
    """
    if isinstance(part, str):
        return part.encode()
    if isinstance(part, bytes | bytearray | memoryview):
        return bytes(part)
    msg = f"Unable to marshal response: a streamed result is made of text or bytes, not {type(part).__name__}"
    raise Fault(MARSHAL_ERROR, msg)


def send(
    client: Client, path: str, headers: Iterable[tuple[str, str]], stream: Stream, request_id: str
) -> Response | ErrorReport:
    """Send a stream as the answer of an invocation.

    Args:
        client: The Runtime API.
        path: Path of the answer, below the version.
        headers: Headers besides the content type.
        stream: The stream.
        request_id: Id of the request, for the log.

    Returns:
        Lambda's response; or the report of a failure before anything was sent, to be posted as an error.

    Raises:
        RuntimeAPIError: The Runtime API cannot be reached.
    """
    try:
        prelude = stream.prelude()
    except Fault as fault:
        return errors.describe(fault)
    post = ChunkedPost(client, path, [*headers, ("Content-Type", stream.content_type)], prelude)
    try:
        try:
            stream.send_to(post)
        except RuntimeAPIError:
            raise
        except Exception as error:  # noqa: BLE001 - the user's code may raise anything
            report = errors.describe(error)
            if not post.begun:
                return report
            logs.log_error(report, request_id)
            logs.flush()
            return post.fail(report.header_type(), codec.encode(report.payload(request_id)))
        logs.flush()
        return post.finish()
    except Refused as refused:
        return refused.response
    finally:
        post.close()
