"""One start of a package in an instance: the Runtime API that hands out events, and the program in its sandbox."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

import pyl
from truth.instance import GROUP, RUNTIME_API, USER, Instance

_START = "import sys; sys.path += sys.argv[2:]; from truth.sandbox import serve; serve(int(sys.argv[1]))"
_FOLDERS = [str(Path(pyl.__file__).parents[1]), str(Path(__file__).parents[1])]
_PATIENCE = 30.0
_POLL = 0.2
_APP = "/var/task/pyl/app"
_PLAIN = [f"{_APP}/ld-linux-x86-64.so.2", "--library-path", _APP, f"{_APP}/program"]


class _Starter:
    """The program that starts others in their sandboxes. It forks, which is faster than a new interpreter."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-I", "-S", "-c", _START, str(theirs.fileno()), *_FOLDERS]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])
        theirs.close()

    def start(self, settings: Mapping[str, object], channel: int, log: int) -> int:
        """Start a program in a sandbox and return a descriptor of its process."""
        with self._lock:
            socket.send_fds(self._control, [json.dumps(settings).encode()], [channel, log])
            (process,) = struct.unpack("=q", self._control.recv(8))
            return os.pidfd_open(process)

    def close(self) -> None:
        """End it."""
        self._control.close()
        self._process.wait()


@cache
def _starter() -> _Starter:
    starter = _Starter()
    atexit.register(starter.close)
    return starter


class StartFailed(Exception):
    """The program ended, or did not answer, or reported an error."""


class Start:
    """A context manager around a running program; `invoke` returns its answer to an event."""

    def __init__(self, package: Path, instance: Instance, files: Mapping[str, str], *, plain: bool) -> None:
        """Start the program of an unpacked package, without its image if `plain`."""
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the environment
        ours, theirs = socket.socketpair()
        settings = {
            "argv": _PLAIN if plain else ["/var/task/bootstrap"],
            "environment": dict(instance.variables),
            "files": dict(files) if instance.has_files else {},
            "group": GROUP,
            "host_name": instance.host_name,
            "proc_files": dict(instance.proc_files),
            "process": instance.process,
            "runtime_api": RUNTIME_API,
            "task": str(package),
            "uptime": instance.uptime,
            "user": USER,
        }
        self._process = _starter().start(settings, theirs.fileno(), self._log.fileno())
        theirs.close()
        self._channel = ours
        self._server: socket.socket | None = None
        self._connection: socket.socket | None = None

    def __enter__(self) -> Start:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._process, signal.SIGKILL)
        self._has_ended(_PATIENCE)
        os.close(self._process)
        for opened in (self._connection, self._server, self._channel):
            if opened is not None:
                opened.close()
        self._log.close()

    @property
    def log(self) -> str:
        """Everything printed so far."""
        return os.pread(self._log.fileno(), 1 << 24, 0).decode("utf-8", "replace")

    @property
    def notices(self) -> list[dict[str, Any]]:
        """The launcher's log lines."""
        return [json.loads(line) for line in self.log.splitlines() if '"pyl.launcher"' in line]

    def invoke(self, event: object) -> Any:
        """Return the answer to an event.

        Raises:
            StartFailed: There is none.
        """
        self._request("GET", "/invocation/next")
        body = json.dumps(event).encode()
        head = (
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            "Lambda-Runtime-Aws-Request-Id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd\r\n"
            "Lambda-Runtime-Deadline-Ms: 4102444800000\r\n"
            "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:123456789012:function:under-test\r\n"
            "Lambda-Runtime-Trace-Id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        assert self._connection is not None
        self._connection.sendall(head.encode() + body)
        answer = self._request("POST", "/response")
        self._connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
        return json.loads(answer)

    def _request(self, method: str, path: str) -> bytes:
        """Return the body of the program's next request, which must have this method and path."""
        try:
            head, body = self._receive()
        except (OSError, EOFError) as error:
            msg = f"the program ended or did not answer ({error or type(error).__name__}); {self._last_words()}"
            raise StartFailed(msg) from error
        line = head.split("\r\n", 1)[0]
        if not (line.startswith(f"{method} ") and line.split()[1].endswith(path)):
            msg = f"{line.split()[1].rpartition('/2018-06-01/')[2]}: {body.decode('utf-8', 'replace')[:600]}"
            raise StartFailed(msg)
        return body

    def _receive(self) -> tuple[str, bytes]:
        if self._server is None:
            self._channel.settimeout(_PATIENCE)
            _, descriptors, _, _ = socket.recv_fds(self._channel, 1, 1)
            if not descriptors:
                msg = "no sandbox"
                raise EOFError(msg)
            self._server = socket.socket(fileno=descriptors[0])
            self._server.settimeout(_POLL)
        received = b""
        while not received:  # the runtime may go on over another connection
            if self._connection is None:
                self._connection = self._accept(self._server)
            received = self._connection.recv(1 << 20)
            if not received:
                self._connection.close()
                self._connection = None
        while b"\r\n\r\n" not in received:
            received += self._receive_piece()
        head, _, body = received.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        while length and len(body) < int(length[1]):
            body += self._receive_piece()
        return head.decode(), body

    def _accept(self, server: socket.socket) -> socket.socket:
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                connection, _ = server.accept()
            except TimeoutError:
                if self._has_ended(0):
                    msg = "no connection"
                    raise EOFError(msg) from None
                if time.monotonic() > deadline:
                    raise
            else:
                connection.settimeout(_PATIENCE)
                return connection

    def _has_ended(self, seconds: float) -> bool:
        return bool(select.select([self._process], [], [], seconds)[0])

    def _receive_piece(self) -> bytes:
        assert self._connection is not None
        piece = self._connection.recv(1 << 20)
        if not piece:
            msg = "the connection was closed"
            raise EOFError(msg)
        return piece

    def _last_words(self) -> str:
        return f"printed: {self.log.strip()[-400:] or 'nothing'}"
