"""A Lambda whose functions are a local AWS's, and whose invocations are answered as recorded.

The REPORT lines have the form that AWS documents; the figures in them were made up, not taken from an account.
It keeps account of what makes Lambda start afresh: the first invocation, and a change of the configuration.
"""

from __future__ import annotations

import base64
import http.client
import json
import re
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

RECORDED: dict[str, dict[str, list[str]]] = json.loads(Path(__file__).with_name("recorded_reports.json").read_text())
"""Variant to REPORT lines of cold and of warm invocations, in Lambda's form."""

_FUNCTION = re.compile(r"/2015-03-31/functions/([^/]+)(?:/(configuration|invocations))?$")


@dataclass(frozen=True)
class Invoked:
    """One invocation, and whether it met a fresh environment."""

    function: str
    cold: bool
    variables: dict[str, str]
    memory: int


def variant_of(function: str) -> str:
    """Return the variant that a function in AWS belongs to."""
    return function.split("-", 3)[3]


@dataclass
class RecordedLambda:
    """Its address and what it saw."""

    url: str = ""
    invoked: list[Invoked] = field(default_factory=list)
    fresh: dict[str, bool] = field(default_factory=dict)
    configurations: dict[str, dict[str, Any]] = field(default_factory=dict)
    starts_afresh: Callable[[str, int, bool], bool] = lambda _function, _number, expected: expected
    """Whether an invocation of a function is cold, by its number and what is expected."""
    fails: Callable[[str, int], dict[str, Any] | None] = lambda _function, _number: None
    """The error that an invocation reports."""
    before: Callable[[int], object] = lambda _number: None
    """Called before an invocation is answered, with its number."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, function: str) -> tuple[dict[str, str], bytes]:
        """Headers and body of an invocation."""
        with self.lock:
            number = sum(one.function == function for one in self.invoked)
            cold = self.starts_afresh(function, number, self.fresh.get(function, True))
            self.fresh[function] = False
            configuration = self.configurations.get(function, {})
            variables = configuration.get("Environment", {}).get("Variables", {})
            self.invoked.append(Invoked(function, cold, variables, configuration.get("MemorySize", 0)))
            total = len(self.invoked)
        self.before(total)
        lines = RECORDED[variant_of(function)]["cold" if cold else "warm"]
        line = lines[number % len(lines)]
        log = f"START RequestId: x Version: $LATEST\nsome output\nEND RequestId: x\n{line}\n"
        headers = {"X-Amz-Log-Result": base64.b64encode(log.encode()).decode(), "X-Amz-Executed-Version": "$LATEST"}
        error = self.fails(function, number)
        if error:
            headers["X-Amz-Function-Error"] = "Unhandled"
        return headers, json.dumps(error or {"ok": True}).encode()


@contextmanager
def recorded(upstream: str) -> Iterator[RecordedLambda]:
    """A server before `upstream`, which answers everything but invocations."""
    found = RecordedLambda()
    target = urllib.parse.urlsplit(upstream).netloc

    class Handler(BaseHTTPRequestHandler):
        def _handle(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            match = _FUNCTION.match(urllib.parse.urlsplit(self.path).path)
            if match and match[2] == "invocations":
                headers, answer = found.answer(match[1])
                self._answer(200, list(headers.items()), answer)
                return
            if match and match[2] == "configuration" and self.command == "PUT":
                with found.lock:
                    found.fresh[match[1]] = True
                    found.configurations.setdefault(match[1], {}).update(json.loads(body))
            connection = http.client.HTTPConnection(target, timeout=60)
            try:
                headers_sent = {key: value for key, value in self.headers.items() if key.lower() != "expect"}
                connection.request(self.command, self.path, body, headers_sent)
                response = connection.getresponse()
                self._answer(response.status, response.getheaders(), response.read())
            except (http.client.HTTPException, OSError):
                self.close_connection = True  # upstream has reset it: so does this one
            finally:
                connection.close()

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _handle  # noqa: N815

        def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
            self.send_response_only(status)
            for key, value in headers:
                if key.lower() not in {"connection", "transfer-encoding", "content-length"}:
                    self.send_header(key, value)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.daemon_threads = True
    found.url = f"http://127.0.0.1:{listener.server_port}"
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        listener.shutdown()
        thread.join()
        listener.server_close()
