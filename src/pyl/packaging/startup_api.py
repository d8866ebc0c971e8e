"""The part of Lambda's Runtime and Extensions APIs that a process uses until it is ready for its first event."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

_POLL = 0.05
"""Seconds between looks at whether the process has ended."""


class StartupApi:
    """Waits until a process asks for an event, or reports that it cannot; a context manager.

    Attributes:
        address: Host and port.
        ready_at: CLOCK_MONOTONIC in nanoseconds of the request for the first event; None if there was none.
        error: Body of the report that the initialisation failed; None if there was none.
    """

    def __init__(self) -> None:
        """Listen on a free port of this machine."""
        self.ready_at: int | None = None
        self.error: bytes | None = None
        self._decided = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _handler_of(self))
        self.address = "{}:{}".format(*self._server.server_address[:2])
        self._thread = threading.Thread(target=self._server.serve_forever, name="pyl startup API", daemon=True)

    def __enter__(self) -> StartupApi:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._decided.set()
        self._server.shutdown()
        self._server.server_close()

    def wait(self, patience: float, has_ended: Callable[[], bool]) -> None:
        """Wait until the process is ready or has failed.

        Args:
            patience: Seconds to wait at most.
            has_ended: Whether the process has ended.
        """
        deadline = time.monotonic() + patience
        while not self._decided.wait(_POLL) and time.monotonic() < deadline and not has_ended():
            pass

    def answer(self, path: str, body: bytes, arrived: int) -> tuple[int, dict[str, str]] | None:
        """Return status and headers for a request, or None if it has to wait for events that never come."""
        if path.endswith("/runtime/invocation/next"):
            self.ready_at = self.ready_at or arrived
            self._decided.set()
        elif path.endswith(("/init/error", "/restore/error")):
            self.error = body
            self._decided.set()
            return 202, {}
        elif path.endswith("/extension/register"):
            return 200, {"Lambda-Extension-Identifier": "00000000-0000-4000-8000-000000000000"}
        elif not path.endswith("/event/next"):
            return 404, {}
        return None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def get_request(self) -> tuple[Any, Any]:
        accepted = super().get_request()
        self.accepted_at = time.monotonic_ns()
        return accepted


def _handler_of(api: StartupApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            self.arrived = getattr(self.server, "accepted_at", 0)
            self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            super().setup()

        def _serve(self) -> None:
            arrived, self.arrived = self.arrived or time.monotonic_ns(), 0
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = api.answer(self.path, body, arrived)
            if answer is None:
                api._decided.wait()  # noqa: SLF001 - the process is killed then
                self.close_connection = True
                return
            status, headers = answer
            self.send_response(status)
            for name, value in {**headers, "Content-Type": "application/json", "Content-Length": "2"}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"{}")

        do_GET = _serve  # noqa: N815 - http.server's names
        do_POST = _serve  # noqa: N815

        def log_message(self, *_arguments: object) -> None:
            pass

    return Handler
