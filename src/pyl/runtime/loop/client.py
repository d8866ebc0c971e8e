"""Client of the Runtime API: HTTP/1.1 over one kept-alive connection, as far as Lambda and its emulators use it.

Only `_socket` is imported, the C module below `socket`: importing `socket` or `http.client` takes longer than the rest
of the start. Repeating a call is safe: `next` returns the same event again, and a second answer with the same request
id is refused.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import _socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

VERSION = "/2018-06-01/runtime"
_RECEIVE_BYTES = 65536
MAX_BODY_BYTES = 1 << 31
"""Far more than Lambda ever sends. A larger length is an error, and must not allocate memory."""
_HEX_DIGITS = b"0123456789abcdefABCDEF"
_MAX_COMBINED_BYTES = 65536
"""Up to this size a body is copied behind its head, to be sent with one system call."""


class RuntimeAPIError(Exception):
    """The Runtime API cannot be reached, or ends this environment."""


class Response:
    """An HTTP response.

    Attributes:
        status: Status code.
        headers: Headers by name in lower case.
        body: Whole body.
    """

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body


class Invocation:
    """An event with its headers, as `next` returned it. Headers that are missing are empty.

    Attributes:
        request_id: Id of the request.
        deadline_ms: When Lambda ends the invocation, in milliseconds since the epoch; 0 if unknown.
        function_arn: ARN that the caller used.
        trace_id: X-Ray trace header.
        client_context: Client context as JSON.
        identity: Cognito identity as JSON.
        tenant_id: Tenant of the request.
        invocation_id: Id of the invocation, to be sent back with the answer.
        content_type: Content type of the event.
        body: The event.
    """

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


def join_pieces(head: bytes, body: bytes, tail: bytes = b"") -> tuple[bytes, ...]:
    """Return what to send one after the other: all at once for a small body, else the parts uncopied."""
    if len(body) <= _MAX_COMBINED_BYTES:
        return (head + body + tail,)
    return (head, body, tail) if tail else (head, body)


def unreachable(error: OSError) -> RuntimeAPIError:
    """Return the error that an `OSError` of the connection means."""
    return RuntimeAPIError(f"{type(error).__name__}: {error}")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20


def _milliseconds(text: str) -> int:
    return int(text) if _is_number(text) else 0


class Client:
    """The Runtime API at `host:port`. No call has a timeout, because Lambda freezes the process while it waits.

    Attributes:
        address: The address.
    """

    def __init__(self, address: str) -> None:
        """Create a client that connects when it is first used.

        Args:
            address: `host:port`, the value of `AWS_LAMBDA_RUNTIME_API`.

        Raises:
            RuntimeAPIError: The address has another form.
        """
        host, _, port = address.rpartition(":")
        if not host or not port.isdigit():
            msg = f"AWS_LAMBDA_RUNTIME_API must read host:port, not {address!r}"
            raise RuntimeAPIError(msg)
        self.address = address
        self._address = host.strip("[]"), int(port)
        self._family = _socket.AF_INET6 if host.startswith("[") else _socket.AF_INET
        self._request_tail = f" HTTP/1.1\r\nHost: {address}\r\nUser-Agent: pyl\r\n"
        self._socket: _socket.socket | None = None
        self._received = b""

    def next(self) -> Response:
        """Wait for the next invocation, and return it.

        Raises:
            RuntimeAPIError: The Runtime API cannot be reached.
        """
        return self.call(self.head("GET", f"{VERSION}/invocation/next"))

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Response:
        """Post to a path below the version; headers without a value are not sent.

        Raises:
            RuntimeAPIError: The Runtime API cannot be reached.
        """
        length = ("Content-Length", str(len(body)))
        return self.call(self.head("POST", f"{VERSION}/{path}", [*headers.items(), length]), body)

    def head(self, method: str, path: str, headers: Iterable[tuple[str, str]] = ()) -> bytes:
        """Return the head of a request, with its empty line; headers without a value are left out."""
        lines = "".join([f"{name}: {value}\r\n" for name, value in headers if value])
        return f"{method} {path}{self._request_tail}{lines}\r\n".encode()

    def send(self, head: bytes) -> None:
        """Send a request without waiting for the response.

        Raises:
            RuntimeAPIError: The Runtime API cannot be reached.
        """
        try:
            (self._socket or self.connect()).sendall(head)
        except OSError as error:
            self.close()
            raise unreachable(error) from error

    def take_over(self, descriptor: int, received: bytes) -> Response:
        """Read the rest of a response on another client's connection, which becomes this client's.

        Args:
            descriptor: The connection.
            received: What the other client has already received of the response.

        Raises:
            RuntimeAPIError: The connection was lost, or the response is not HTTP.
        """
        self.close()
        self._socket = _socket.socket(fileno=descriptor)
        self._received = received
        try:
            return self._receive(self._socket)
        except OSError as error:
            self.close()
            raise unreachable(error) from error

    def receive(self) -> Response:
        """Return the response on the open connection.

        Raises:
            OSError: The connection was lost, or the response is not HTTP.
        """
        if self._socket is None:
            raise _connection_lost()
        return self._receive(self._socket)

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None
        self._received = b""

    def call(self, head: bytes, body: bytes = b"") -> Response:
        """Send a request, and return its response.

        If a kept-alive connection turns out to be closed, the request is sent again on a new one.

        Raises:
            RuntimeAPIError: The Runtime API cannot be reached.
        """
        kept_alive = self._socket is not None
        try:
            return self._exchange(head, body)
        except OSError as error:
            self.close()
            if not kept_alive:
                raise unreachable(error) from error
        # The connection may have been closed while it was not used, as after Lambda thaws a frozen environment.
        return self.call(head, body)

    def _exchange(self, head: bytes, body: bytes) -> Response:
        connection = self._socket or self.connect()
        try:
            for piece in join_pieces(head, body):
                connection.sendall(piece)
        except OSError:
            # Lambda may refuse a body that is too large before all of it was sent.
            response = self._receive(connection)
            self.close()
            return response
        return self._receive(connection)

    def connect(self) -> _socket.socket:
        """Open a connection, which the next call uses.

        Raises:
            OSError: It was refused.
        """
        connection = _socket.socket(self._family, _socket.SOCK_STREAM)
        # The user's code may have set a default timeout for all sockets.
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
            # Such a body ends with the connection, and nothing needs its content.
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
        if length > MAX_BODY_BYTES:
            msg = f"a body of {length} bytes"
            raise OSError(msg)
        missing = length - len(self._received)
        if missing <= 0:
            body, self._received = self._received[:length], self._received[length:]
            return body
        buffer = bytearray(length)
        buffer[: len(self._received)] = self._received
        self._received = b""
        unfilled = memoryview(buffer)[length - missing :]
        while unfilled:
            count = connection.recv_into(unfilled)
            if not count:
                raise _connection_lost()
            unfilled = unfilled[count:]
        unfilled.release()
        return bytes(buffer)

    def _receive_chunks(self, connection: _socket.socket) -> bytes:
        chunks: list[bytes] = []
        while True:
            size = self._receive_line(connection).partition(b";")[0].strip()
            if not size or size.strip(_HEX_DIGITS):
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
        while chunk := connection.recv(_RECEIVE_BYTES):
            chunks.append(chunk)
        return b"".join(chunks)

    def _receive_some(self, connection: _socket.socket) -> bytes:
        chunk = connection.recv(_RECEIVE_BYTES)
        if not chunk:
            raise _connection_lost()
        return chunk


def _connection_lost() -> OSError:
    return ConnectionError("the connection was closed before the response was complete")
