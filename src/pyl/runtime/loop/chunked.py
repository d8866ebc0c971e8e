"""A POST whose body is sent in chunks while it is generated, on a connection of its own.

https://www.rfc-editor.org/rfc/rfc9112#section-7.1
"""

from __future__ import annotations

import _socket

from pyl.runtime.loop.client import VERSION, RuntimeAPIError, join_pieces, unreachable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyl.runtime.loop.client import Client, Response

ERROR_TYPE, ERROR_BODY = "Lambda-Runtime-Function-Error-Type", "Lambda-Runtime-Function-Error-Body"
"""Trailers that report a failure after the body was begun."""


class Refused(RuntimeAPIError):
    """The Runtime API answered before all of the body was sent.

    Attributes:
        response: Its answer.
    """

    def __init__(self, response: Response) -> None:
        super().__init__(f"refused with {response.status}")
        self.response = response


class ChunkedPost:
    """A POST with a chunked body. Nothing is sent before the first `write`; an empty one sends the head.

    Attributes:
        begun: Whether anything was sent.
    """

    def __init__(self, client: Client, path: str, headers: Iterable[tuple[str, str]], prelude: bytes) -> None:
        """Prepare a request.

        Args:
            client: The Runtime API; its open connection is closed, and a new one is used.
            path: Path below the version.
            headers: Headers; those without a value are not sent.
            prelude: First part of the body, sent together with the head.
        """
        self.begun = False
        self._client = client
        self._connection: _socket.socket | None = None
        streaming_headers = (
            ("Lambda-Runtime-Function-Response-Mode", "streaming"),
            ("Transfer-Encoding", "chunked"),
            ("Trailer", f"{ERROR_TYPE}, {ERROR_BODY}"),
        )
        head = client.head("POST", f"{VERSION}/{path}", [*headers, *streaming_headers])
        self._head = b"".join((head, *_chunk(prelude)))

    def write(self, data: bytes) -> None:
        """Send a part of the body.

        Raises:
            Refused: The Runtime API has already answered.
            RuntimeAPIError: The connection was lost.
        """
        try:
            connection = self._open()
            for piece in self._pieces(data):
                connection.sendall(piece)
        except OSError as error:
            raise self._failure(error) from error

    async def write_soon(self, data: bytes) -> None:
        """Send a part of the body; while the connection accepts no more, the event loop runs other tasks.

        Raises:
            Refused: The Runtime API has already answered.
            RuntimeAPIError: The connection was lost.
        """
        try:
            connection = self._open()
            for piece in self._pieces(data):
                unsent = memoryview(piece)
                while unsent:
                    try:
                        unsent = unsent[connection.send(unsent, _socket.MSG_DONTWAIT) :]
                    except BlockingIOError:
                        await _wait_until_writable(connection)
        except OSError as error:
            raise self._failure(error) from error

    def finish(self) -> Response:
        """End the body, and return the response.

        Raises:
            Refused: The Runtime API has already answered.
            RuntimeAPIError: The connection was lost.
        """
        if not self.begun:
            self.write(b"")
        return self._end(b"0\r\n\r\n")

    def fail(self, error_type: str, payload: bytes) -> Response:
        """End an incomplete body with the error in trailers, and return the response.

        Args:
            error_type: Type of the error, as in the header of an error call.
            payload: Body of an error call.

        Raises:
            Refused: The Runtime API has already answered.
            RuntimeAPIError: The connection was lost.
        """
        from binascii import b2a_base64

        body = b2a_base64(payload, newline=False).decode("ascii")
        return self._end(f"0\r\n{ERROR_TYPE}: {error_type}\r\n{ERROR_BODY}: {body}\r\n\r\n".encode())

    def close(self) -> None:
        """Close the connection, as Lambda requires after a stream; the next call opens another."""
        if self.begun:
            self._client.close()
        self._connection = None

    def _open(self) -> _socket.socket:
        if self._connection is None:
            self._client.close()
            self._connection = self._client.connect()
        return self._connection

    def _pieces(self, data: bytes) -> tuple[bytes, ...]:
        head = b"" if self.begun else self._head
        self.begun = True
        size, data, end = _chunk(data)
        return join_pieces(head + size, data, end)

    def _end(self, ending: bytes) -> Response:
        try:
            self._open().sendall(ending)
            return self._client.receive()
        except OSError as error:
            raise self._failure(error) from error

    def _failure(self, error: OSError) -> RuntimeAPIError:
        """Return the error that a broken connection means. Lambda may answer before all of a refused body was sent."""
        if self._connection is not None:
            try:
                return Refused(self._client.receive())
            except OSError:
                pass
        return unreachable(error)


def _chunk(data: bytes) -> tuple[bytes, bytes, bytes]:
    """Return the parts of a chunk: its size, its data and its end. They are empty without data: that ends a body."""
    return (b"%x\r\n" % len(data), data, b"\r\n") if data else (b"", b"", b"")


async def _wait_until_writable(connection: _socket.socket) -> None:
    import asyncio

    loop = asyncio.get_running_loop()
    ready = loop.create_future()
    descriptor = connection.fileno()

    def wake() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_writer(descriptor, wake)
    try:
        await ready
    finally:
        loop.remove_writer(descriptor)
