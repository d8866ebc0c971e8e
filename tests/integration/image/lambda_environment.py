"""Lambda around a package: a Runtime API that hands out events, and the program in a sandbox at `/var/task`."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from pyl.lambda_facts import Deployment, Instance, lambda_variables
from pyl.sandbox import execution

_DEPLOYMENT = Deployment(function="under-test", handler="functions.handler", region="us-east-1", memory=512)
_INSTANCE = Instance(
    runtime_api="",
    log_stream="2026/12/01/[$LATEST]" + "7" * 32,
    credentials=("AKIARESTORED", "restored-secret", "restored-token"),
    metadata_token="restored-metadata",
    host_name="169-254-1-1",
)
LAMBDA = lambda_variables(_DEPLOYMENT, _INSTANCE)
PATIENCE = 30.0


class Environment:
    """One execution environment; a context manager. `invoke` sends an event and returns the answer."""

    def __init__(
        self,
        package: Path,
        function: str = "handler",
        environment: Mapping[str, str] | None = None,
        *,
        plain: bool = False,
        argv: list[str] | None = None,
        binds: Mapping[str, Path] | None = None,
    ) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(PATIENCE)
        values = {**LAMBDA, "_HANDLER": f"functions.{function}", **(environment or {})}
        values["AWS_LAMBDA_RUNTIME_API"] = "{}:{}".format(*self._server.getsockname())
        argv = argv or ["/var/task/bootstrap"]
        if plain:
            app = "/var/task/pyl/app"
            argv = [f"{app}/ld-linux-x86-64.so.2", "--library-path", app, f"{app}/program"]
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the environment
        command = execution.command(argv, task=package, environment=values, binds=binds)
        self.process = subprocess.Popen(command, stdout=self._log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        self._connection: socket.socket | None = None
        self._waiting = False

    def __enter__(self) -> Environment:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()
        if self._connection is not None:
            self._connection.close()
        self._server.close()
        self._log.close()

    @property
    def log(self) -> str:
        """Everything printed so far."""
        return os.pread(self._log.fileno(), 1 << 24, 0).decode()

    @property
    def notices(self) -> list[dict[str, Any]]:
        """The launcher's log lines."""
        return [json.loads(line) for line in self.log.splitlines() if '"pyl.launcher"' in line]

    def invoke(self, event: Any = None) -> Any:
        """The answer to an event; an error's payload when the function failed."""
        if not self._waiting:
            self._request()
        body = json.dumps(event).encode()
        head = (
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            "Lambda-Runtime-Aws-Request-Id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd\r\n"
            "Lambda-Runtime-Deadline-Ms: 4102444800000\r\n"
            "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:123456789012:function:under-test\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        assert self._connection is not None
        self._connection.sendall(head.encode() + body)
        answer = self._request()
        self._connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
        self._waiting = False
        return json.loads(answer)

    def init_error(self) -> dict[str, Any]:
        """The error that a program reports which cannot start."""
        found: dict[str, Any] = json.loads(self._request())
        assert self._connection is not None
        self._connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        self.process.wait(PATIENCE)
        return found

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def _request(self) -> bytes:
        if self._connection is None:
            try:
                self._connection, _ = self._server.accept()
            except TimeoutError:
                msg = f"nothing connected; printed:\n{self.log}"
                raise AssertionError(msg) from None
            self._connection.settimeout(PATIENCE)
        received = self._connection.recv(1 << 20)
        if not received:  # the runtime goes on over another connection, as it may
            self._connection.close()
            self._connection = None
            return self._request()
        while b"\r\n\r\n" not in received:
            received += self._receive()
        head, _, body = received.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        while length and len(body) < int(length[1]):
            body += self._receive()
        self._waiting = head.startswith(b"GET")
        return body

    def _receive(self) -> bytes:
        assert self._connection is not None
        piece = self._connection.recv(1 << 20)
        if not piece:
            msg = f"the program closed the connection; printed:\n{self.log}"
            raise AssertionError(msg)
        return piece
