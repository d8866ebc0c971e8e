"""One POST whose body is sent in chunks while it is made, over a connection of its own.

https://www.rfc-editor.org/rfc/rfc9112#section-7.1
"""

from __future__ import annotations

import _socket

from pyl.runtime.loop.client import VERSION, RuntimeAPIError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyl.runtime.loop.client import Client, Response

ERROR_TYPE, ERROR_BODY = "Lambda-Runtime-Function-Error-Type", "Lambda-Runtime-Function-Error-Body"
_COMBINED = 65536
"""Up to this size a chunk travels in one send together with its length."""


class Refused(RuntimeAPIError):
    """The Runtime API answered before all of the body was sent."""

    def __init__(self, response: Response) -> None:
        super().__init__(f"refused with {response.status}")
        self.response = response


class ChunkedPost:
    """Sends nothing before the first `write`; an empty one sends the head. Ends by `finish` or `fail`."""

    def __init__(self, client: Client, path: str, headers: Iterable[tuple[str, str]], prelude: bytes) -> None:
        self.begun = False
        self._client = client
        self._connection: _socket.socket | None = None
        lines = "".join([f"{name}: {value}\r\n" for name, value in headers if value])
        self._head = (
            f"POST {VERSION}/{path}{client.request_tail}{lines}"
            "Lambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\n"
            f"Trailer: {ERROR_TYPE}, {ERROR_BODY}\r\n\r\n"
        ).encode() + _chunk(prelude)

    def write(self, data: bytes) -> None:
        """Send a part of the body."""
        try:
            connection = self._open()
            for piece in self._pieces(data):
                connection.sendall(piece)
        except OSError as error:
            raise self._lost(error) from error

    async def write_soon(self, data: bytes) -> None:
        """As `write`; while the connection takes no more, the event loop goes on with other tasks."""
        try:
            connection = self._open()
            for piece in self._pieces(data):
                rest = memoryview(piece)
                while rest:
                    try:
                        rest = rest[connection.send(rest, _socket.MSG_DONTWAIT) :]
                    except BlockingIOError:
                        await _writable(connection)
        except OSError as error:
            raise self._lost(error) from error

    def finish(self) -> Response:
        """End the body, and return the response."""
        if not self.begun:
            self.write(b"")
        return self._end(b"0\r\n\r\n")

    def fail(self, error_type: str, payload: bytes) -> Response:
        """End a body that is not whole: trailers tell the error."""
        from binascii import b2a_base64

        body = b2a_base64(payload, newline=False).decode("ascii")
        return self._end(f"0\r\n{ERROR_TYPE}: {error_type}\r\n{ERROR_BODY}: {body}\r\n\r\n".encode())

    def close(self) -> None:
        """Close the connection, as Lambda wants it after a stream; the next call opens another."""
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
        if len(data) <= _COMBINED:
            return (head + _chunk(data),)
        return head + b"%x\r\n" % len(data), data, b"\r\n"

    def _end(self, last: bytes) -> Response:
        try:
            self._open().sendall(last)
            return self._client.receive()
        except OSError as error:
            raise self._lost(error) from error

    def _lost(self, error: OSError) -> RuntimeAPIError:
        """Return what a broken connection means: a body that is refused may be answered before all of it was sent."""
        if self._connection is not None:
            try:
                return Refused(self._client.receive())
            except OSError:
                pass
        return RuntimeAPIError(f"{type(error).__name__}: {error}")


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


async def _writable(connection: _socket.socket) -> None:
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
