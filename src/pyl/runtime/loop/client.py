"""The Runtime API over one kept-alive connection: HTTP/1.1 as far as Lambda and its emulators speak it.

`_socket`, the C module below `socket`, is all that is imported: `socket` and `http.client` cost more than
the rest of the start. What makes a call again is safe: `next` asks anew, and an answer is bound to its
request id, so a second copy is refused.
"""

from __future__ import annotations

import _socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION = "/2018-06-01/runtime"
_CHUNK = 65536
_LARGEST = 1 << 31
"""Far beyond anything that Lambda sends; a length above it is nonsense."""
_HEXADECIMAL = b"0123456789abcdefABCDEF"
_COMBINED = 65536
"""Up to this size a body travels in one send together with its headers."""


class RuntimeAPIError(Exception):
    """The Runtime API cannot be reached, or says that this environment is at its end."""


class _ConnectionLostError(OSError):
    """The other side closed the connection before it answered."""


class Response:
    """An HTTP response: its status, its headers by lower-case name, its body."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body


class Invocation:
    """What `next` returned; headers that were missing are empty."""

    __slots__ = (
        "body",
        "client_context",
        "content_type",
        "deadline_ms",
        "function_arn",
        "identity",
        "invocation_id",
        "request_id",
        "tenant_id",
        "trace_id",
    )

    def __init__(self, response: Response) -> None:
        get = response.headers.get
        self.request_id = get("lambda-runtime-aws-request-id", "")
        self.deadline_ms = _milliseconds(get("lambda-runtime-deadline-ms", ""))
        self.function_arn = get("lambda-runtime-invoked-function-arn", "")
        self.trace_id = get("lambda-runtime-trace-id", "")
        self.client_context = get("lambda-runtime-client-context", "")
        self.identity = get("lambda-runtime-cognito-identity", "")
        self.tenant_id = get("lambda-runtime-aws-tenant-id", "")
        self.invocation_id = get("lambda-runtime-invocation-id", "")
        self.content_type = get("content-type", "")
        self.body = response.body


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20


def _milliseconds(text: str) -> int:
    return int(text) if _is_number(text) else 0


class Client:
    """The Runtime API at `host:port`. No call has a time limit: Lambda freezes the process while it waits."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        if not host or not port.isdigit():
            msg = f"AWS_LAMBDA_RUNTIME_API must read host:port, not {address!r}"
            raise RuntimeAPIError(msg)
        self.address = address
        self._address = host.strip("[]"), int(port)
        self._family = _socket.AF_INET6 if host.startswith("[") else _socket.AF_INET
        self.request_tail = f" HTTP/1.1\r\nHost: {address}\r\nUser-Agent: pyl\r\n"
        self._socket: _socket.socket | None = None
        self._received = b""

    def next(self) -> Response:
        """Wait for the next invocation."""
        return self.call(f"GET {VERSION}/invocation/next{self.request_tail}\r\n".encode())

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Response:
        """Post below the version's path."""
        lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items() if value])
        head = f"POST {VERSION}/{path}{self.request_tail}{lines}Content-Length: {len(body)}\r\n\r\n".encode()
        return self.call(head, body)

    def send(self, head: bytes) -> None:
        """Send a request whose response nobody waits for."""
        try:
            (self._socket or self.connect()).sendall(head)
        except OSError as error:
            self.close()
            raise RuntimeAPIError(f"{type(error).__name__}: {error}") from error  # noqa: EM102

    def take_over(self, descriptor: int, received: bytes) -> Response:
        """Read the response that another client has asked for, and of which it has received this much."""
        self.close()
        self._socket = _socket.socket(fileno=descriptor)
        self._received = received
        try:
            return self._receive(self._socket)
        except OSError as error:
            self.close()
            raise RuntimeAPIError(f"{type(error).__name__}: {error}") from error  # noqa: EM102

    def receive(self) -> Response:
        """Return the response to what was sent over the connection that is open."""
        if self._socket is None:
            raise _lost()
        return self._receive(self._socket)

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None
        self._received = b""

    def call(self, head: bytes, body: bytes = b"") -> Response:
        """Send a request, and return its response; once again where a kept-alive connection turns out to be gone."""
        kept_alive = self._socket is not None
        try:
            return self._exchange(head, body)
        except OSError as error:
            self.close()
            if not kept_alive:
                raise RuntimeAPIError(f"{type(error).__name__}: {error}") from error  # noqa: EM102
        # The connection may have been dropped while nobody used it, as when Lambda thaws a frozen
        # environment.
        return self.call(head, body)

    def _exchange(self, head: bytes, body: bytes) -> Response:
        connection = self._socket or self.connect()
        try:
            if len(body) <= _COMBINED:
                connection.sendall(head + body)
            else:
                connection.sendall(head)
                connection.sendall(body)
        except OSError:
            # A body that is too large may be refused before all of it was sent.
            response = self._receive(connection)
            self.close()
            return response
        return self._receive(connection)

    def connect(self) -> _socket.socket:
        """Open a connection, the one that the next call uses."""
        connection = _socket.socket(self._family, _socket.SOCK_STREAM)
        # The user's code may have set a default time limit for all sockets.
        connection.settimeout(None)
        connection.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        try:
            connection.connect(self._address)
        except OSError:
            connection.close()
            raise
        self._socket = connection
        return connection

    def _receive(self, connection: _socket.socket) -> Response:
        while True:
            status, version, headers = self._receive_head(connection)
            if status >= 200:
                break
        keep = headers.get("connection", "").lower() != "close" and version != "HTTP/1.0"
        if "chunked" in headers.get("transfer-encoding", "").lower():
            body = self._receive_chunks(connection)
        elif _is_number(length := headers.get("content-length", "")):
            body = self._receive_exactly(connection, int(length))
        elif status == 200:
            body = self._receive_rest(connection)
            keep = False
        else:
            # Such a body would end with the connection, and nobody wants to know what is in it.
            body, keep = b"", status == 204
        if not keep:
            self.close()
        return Response(status, headers, body)

    def _receive_head(self, connection: _socket.socket) -> tuple[int, str, dict[str, str]]:
        while (end := self._received.find(b"\r\n\r\n")) < 0:
            self._received += self._receive_some(connection)
        lines = self._received[:end].decode("utf-8", "replace").split("\r\n")
        self._received = self._received[end + 4 :]
        version, _, status = lines[0].partition(" ")
        if not version.startswith("HTTP/1.") or not _is_number(status[:3]):
            msg = f"not an HTTP response: {lines[0][:80]!r}"
            raise OSError(msg)
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        return int(status[:3]), version, headers

    def _receive_exactly(self, connection: _socket.socket, length: int) -> bytes:
        if length > _LARGEST:
            msg = f"a body of {length} bytes"
            raise OSError(msg)
        missing = length - len(self._received)
        if missing <= 0:
            body, self._received = self._received[:length], self._received[length:]
            return body
        whole = bytearray(length)
        whole[: len(self._received)] = self._received
        self._received = b""
        rest = memoryview(whole)[length - missing :]
        while rest:
            count = connection.recv_into(rest)
            if not count:
                raise _lost()
            rest = rest[count:]
        rest.release()
        return bytes(whole)

    def _receive_chunks(self, connection: _socket.socket) -> bytes:
        chunks: list[bytes] = []
        while True:
            size = self._receive_line(connection).partition(b";")[0].strip()
            if not size or size.strip(_HEXADECIMAL):
                msg = f"not the size of a chunk: {size[:20]!r}"
                raise OSError(msg)
            length = int(size, 16)
            if length == 0:
                while self._receive_line(connection):  # trailers
                    pass
                return b"".join(chunks)
            chunks.append(self._receive_exactly(connection, length))
            self._receive_line(connection)

    def _receive_line(self, connection: _socket.socket) -> bytes:
        while (end := self._received.find(b"\r\n")) < 0:
            self._received += self._receive_some(connection)
        line, self._received = self._received[:end], self._received[end + 2 :]
        return line

    def _receive_rest(self, connection: _socket.socket) -> bytes:
        chunks = [self._received]
        self._received = b""
        while chunk := connection.recv(_CHUNK):
            chunks.append(chunk)
        return b"".join(chunks)

    def _receive_some(self, connection: _socket.socket) -> bytes:
        chunk = connection.recv(_CHUNK)
        if not chunk:
            raise _lost()
        return chunk


def _lost() -> _ConnectionLostError:
    return _ConnectionLostError("the connection was closed before the response was complete")
