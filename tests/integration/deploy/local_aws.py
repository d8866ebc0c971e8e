"""A local AWS: moto's server as a process, and between it and its callers a proxy that counts, fails and delays."""

from __future__ import annotations

import http.client
import io
import os
import re
import socket
import struct
import subprocess
import sys
import threading
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from integration.projects import Done, environment

REGION = "eu-central-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKIALOCAL", "AWS_SECRET_ACCESS_KEY": "local-secret-key"}


@contextmanager
def moto_server() -> Iterator[str]:
    """Moto in a process of its own; it ends with its standard input."""
    program = Path(__file__).with_name("moto_completed.py")
    process = subprocess.Popen(
        [sys.executable, program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url, "moto did not start"
        yield url
    finally:
        process.communicate()


@dataclass(frozen=True)
class Call:
    """One request to AWS."""

    service: str
    operation: str
    """As boto3's documentation has it for query and JSON services; `POST /path` for the others."""
    is_write: bool
    query: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.service} {self.operation}"


@dataclass(frozen=True)
class Fault:
    """What happens instead of an answer."""

    status: int = 0
    """0: the connection is reset."""
    code: str = ""
    message: str = "injected"
    after: bool = False
    """The call is carried out first, so that only its answer is lost."""
    lead: Callable[[], object] | None = None
    """Called before anything else, instead of a fault if there is no status."""


THROTTLED = Fault(429, "TooManyRequestsException", "Rate exceeded")
SERVER_ERROR = Fault(500, "InternalFailure")
EXPIRED = Fault(403, "ExpiredTokenException", "The security token included in the request is expired")
RESET = Fault()
LOST_ANSWER = Fault(after=True)

Decision = Callable[[Call, int], Fault | None]
"""Which fault a call gets, by the call and its number (from 0)."""
Rewriting = Callable[[Call, bytes], bytes]


@dataclass
class LocalAWS:
    """The proxy's address and what it saw; what the next calls get is settable."""

    server: str
    url: str = ""
    calls: list[Call] = field(default_factory=list)
    decide: Decision = lambda _call, _number: None
    rewrite: Rewriting = lambda _call, body: body
    lock: threading.Lock = field(default_factory=threading.Lock)
    clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    @property
    def writes(self) -> list[str]:
        """The calls that change something."""
        return [str(call) for call in self.calls if call.is_write]

    @property
    def environment(self) -> dict[str, str]:
        """Variables with which programs use it; nothing of this machine's AWS configuration."""
        nowhere = {"AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent"}
        more = {"AWS_ENDPOINT_URL": self.url, "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION}
        return CREDENTIALS | nowhere | more | {"AWS_EC2_METADATA_DISABLED": "true"}

    def client(self, service: str, region: str = REGION) -> Any:
        """A client for the test's own questions, past the proxy."""
        import boto3

        if (service, region) not in self.clients:
            self.clients[service, region] = boto3.client(
                service,
                region_name=region,
                endpoint_url=self.server,
                aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            )
        return self.clients[service, region]

    def forget(self) -> None:
        """Everything that was made, seen and decided."""
        request = urllib.request.Request(f"{self.server}/moto-api/reset", method="POST")
        with urllib.request.urlopen(request) as answer:
            answer.read()
        self.calm()

    def calm(self) -> None:
        """No faults, no calls seen."""
        self.calls.clear()
        self.decide = lambda _call, _number: None
        self.rewrite = lambda _call, body: body


@contextmanager
def proxied(server: str) -> Iterator[LocalAWS]:
    """A proxy in front of the server, for as long as the context lasts."""
    local = LocalAWS(server)
    handler = type("Handler", (_Handler,), {"local": local, "upstream": urllib.parse.urlsplit(server).netloc})
    listener = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    listener.daemon_threads = True
    local.url = f"http://127.0.0.1:{listener.server_port}"
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield local
    finally:
        listener.shutdown()
        thread.join()
        listener.server_close()


class _Handler(BaseHTTPRequestHandler):
    local: LocalAWS
    upstream: str

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        call = _call(self.command, self.path, self.headers, body)
        with self.local.lock:
            number = len(self.local.calls)
            self.local.calls.append(call)
            fault = self.local.decide(call, number)
        if fault and fault.lead:
            fault.lead()
            fault = fault if fault.status else None
        if fault and not fault.after:
            self._fail(call, fault)
            return
        status, headers, answer = self._forward(body)
        if fault:
            self._fail(call, fault)
        else:
            self._answer(status, headers, self.local.rewrite(call, answer))

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = _handle  # noqa: N815

    def _forward(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(self.upstream, timeout=60)
        try:
            headers = {key: value for key, value in self.headers.items() if key.lower() != "expect"}
            connection.request(self.command, self.path, body, headers)
            response = connection.getresponse()
            return response.status, response.getheaders(), response.read()
        finally:
            connection.close()

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status)
        for key, value in headers:
            if key.lower() not in {"connection", "transfer-encoding", "content-length"}:
                self.send_header(key, value)
        length = next((value for key, value in headers if key.lower() == "content-length"), None)
        # The answer to HEAD names a length and has no body.
        self.send_header("Content-Length", length if self.command == "HEAD" and length else str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _fail(self, call: Call, fault: Fault) -> None:
        self.close_connection = True
        if not fault.status:
            # Closing with unsent linger is what TCP calls a reset.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            return
        body, kind = _error_body(call, fault)
        self._answer(fault.status, [("Content-Type", kind), ("x-amzn-errortype", fault.code)], body)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
        pass

    def finish(self) -> None:
        with suppress(OSError, ValueError):  # the connection may have been reset on purpose
            super().finish()


def run_here(*arguments: str | Path, **variables: str) -> Done:
    """As `run`, but in this process, which has imported boto3 already."""
    from pyl.cli import main

    out, err, before = io.StringIO(), io.StringIO(), dict(os.environ)
    wanted = environment(**variables)
    code: Any = 0
    try:
        os.environ.clear()
        os.environ.update(wanted)
        with redirect_stdout(out), redirect_stderr(err):
            main([str(argument) for argument in arguments])
    except SystemExit as stop:
        code = stop.code
    finally:
        os.environ.clear()
        os.environ.update(before)
    return Done(int(code or 0), out.getvalue(), err.getvalue())


_XML_SERVICES = {"iam", "sts", "s3", "sns", "ses"}


def _error_body(call: Call, fault: Fault) -> tuple[bytes, str]:
    if call.service in _XML_SERVICES:
        inner = f"<Error><Type>Sender</Type><Code>{fault.code}</Code><Message>{fault.message}</Message></Error>"
        text = inner if call.service == "s3" else f"<ErrorResponse>{inner}<RequestId>1</RequestId></ErrorResponse>"
        return text.encode(), "text/xml"
    text = f'{{"__type": "{fault.code}", "message": "{fault.message}", "Message": "{fault.message}"}}'
    return text.encode(), "application/json"


def _call(method: str, path: str, headers: Message, body: bytes) -> Call:
    scope = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/", headers.get("Authorization") or "")
    service = scope[1] if scope else "unknown"
    target = headers.get("X-Amz-Target")
    action = urllib.parse.parse_qs(body.decode("latin-1")).get("Action") if not target and service != "s3" else None
    if target or action:
        operation = target.rpartition(".")[2] if target else action[0] if action else ""
        return Call(service, operation, not operation.startswith(("Get", "List", "Describe", "Filter", "Simulate")))
    place = urllib.parse.urlsplit(path)
    return Call(service, f"{method} {place.path}", method not in {"GET", "HEAD"}, place.query)
