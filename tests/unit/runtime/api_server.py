"""A Runtime API on a raw socket that does exactly what a test says, and the runtimes that can be started against it.

The test's own thread is the server: it receives a request, looks at it, and sends whatever bytes it likes, so every
misbehaviour of a server is one line of a test. `RuntimeCommand` says how a runtime is started; any runtime that serves
the folder `project` can be held against the same tests.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PROJECT = HERE / "project"
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:conformance"
FAR_DEADLINE = "4102444800000"
"""The year 2100; awslambdaric keeps nanoseconds in 64 bits."""
BYTECODE = tempfile.TemporaryDirectory(prefix="pyl-test-bytecode-")
"""Where all started runtimes keep bytecode: without it each of them would compile every module again."""
PATIENCE = 20.0
"""Seconds after which a runtime that does not do what it should has failed."""


@dataclass(frozen=True)
class Request:
    """A request as it was received; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    connection: socket.socket

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def kind(self) -> str:
        """The last segment of the path: next, response, error."""
        return self.path.rpartition("/")[2]


class RuntimeAPI:
    """The server's side of every connection that a runtime opens."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = "{}:{}".format(*self._listener.getsockname())
        self.accepted = 0
        self._connections: list[socket.socket] = []
        self._count = 0

    def __enter__(self) -> RuntimeAPI:
        return self

    def __exit__(self, *_: object) -> None:
        for connection in [*self._connections, self._listener]:
            connection.close()

    def receive(self, patience: float = PATIENCE) -> Request:
        """Return the next request on any connection."""
        deadline = time.monotonic() + patience
        while True:
            connection = self._readable(deadline)
            request = self._read(connection)
            if request is not None:
                return request
            self.drop(connection)

    def _readable(self, deadline: float) -> socket.socket:
        while True:
            left = deadline - time.monotonic()
            ready, _, _ = select.select([self._listener, *self._connections], [], [], max(left, 0))
            if not ready:
                msg = "the runtime sent nothing"
                raise TimeoutError(msg)
            if ready[0] is not self._listener:
                return ready[0]
            connection, _ = self._listener.accept()
            connection.settimeout(PATIENCE)
            self.accepted += 1
            self._connections.append(connection)

    def accept(self) -> socket.socket:
        """Return the next connection that sends something, for a test that reads it itself."""
        connection = self._readable(time.monotonic() + PATIENCE)
        while not connection.recv(1, socket.MSG_PEEK):
            self.drop(connection)
            connection = self._readable(time.monotonic() + PATIENCE)
        return connection

    @staticmethod
    def _read(connection: socket.socket) -> Request | None:
        data = b""
        while b"\r\n\r\n" not in data:
            try:
                chunk = connection.recv(65536)
            except ConnectionResetError:
                return None
            if not chunk:
                return None
            data += chunk
        head, _, body = data.partition(b"\r\n\r\n")
        request_line, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        method, path, _ = request_line.split(" ")
        if headers.get("expect", "").lower() == "100-continue":
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        chunked = headers.get("transfer-encoding") == "chunked"
        whole = bytearray(body)
        while not (whole.endswith(b"0\r\n\r\n") if chunked else len(whole) >= int(headers.get("content-length", 0))):
            whole += connection.recv(1 << 20)
        body = _unchunked(bytes(whole)) if chunked else bytes(whole)
        return Request(method, path, headers, body, connection)

    def drop(self, connection: socket.socket) -> None:
        """Close a connection."""
        connection.close()
        self._connections.remove(connection)

    def expect(self, kind: str) -> Request:
        """Return the next request, which must be of this kind."""
        request = self.receive()
        assert request.kind == kind, f"{request.method} {request.path} {request.body[:500]!r}"
        return request

    @staticmethod
    def reply(request: Request, status: str = "202 Accepted", body: bytes = b"", headers: str = "") -> None:
        """Answer as Lambda does."""
        head = f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
        request.connection.sendall(head.encode() + body)

    def event(self, body: bytes, **headers: str | None) -> bytes:
        """Return a complete answer to `next`; headers by the last part of their name, `None` leaves one out."""
        self._count += 1
        values: dict[str, str | None] = {
            "Aws-Request-Id": self.request_id,
            "Deadline-Ms": FAR_DEADLINE,
            "Invoked-Function-Arn": ARN,
            "Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=1",
        }
        content_type = headers.pop("content_type", "application/json")
        values |= {name.replace("_", "-").title(): value for name, value in headers.items()}
        lines = [f"Lambda-Runtime-{name}: {value}" for name, value in values.items() if value is not None]
        lines += [f"Content-Type: {content_type}"] if content_type is not None else []
        lines += [f"Content-Length: {len(body)}"]
        return "\r\n".join(["HTTP/1.1 200 OK", *lines, "", ""]).encode() + body

    @property
    def request_id(self) -> str:
        """Id of the latest event."""
        return f"request-{self._count}"

    def invoke(self, event: Any = None, *, raw: bytes | None = None, **headers: str | None) -> Request:
        """Have the runtime handle one event, and return what it posted, which is accepted."""
        body = json.dumps(event, ensure_ascii=False).encode("utf-8", "surrogatepass") if raw is None else raw
        request = self.expect("next")
        request.connection.sendall(self.event(body, **headers))
        posted = self.receive()
        assert posted.kind in ("response", "error"), posted.path
        assert f"/invocation/{self.request_id}/" in posted.path
        self.reply(posted)
        return posted

    def result(self, event: Any = None, *, raw: bytes | None = None, **headers: str | None) -> Any:
        """Return the decoded response to one event."""
        posted = self.invoke(event, raw=raw, **headers)
        assert posted.kind == "response", posted.body.decode()
        return posted.json

    def error(self, event: Any = None, *, raw: bytes | None = None, **headers: str | None) -> dict[str, Any]:
        """Return the payload of the error that one event ends in."""
        posted = self.invoke(event, raw=raw, **headers)
        assert posted.kind == "error", posted.body.decode()
        payload: dict[str, Any] = posted.json
        return payload


def _unchunked(data: bytes) -> bytes:
    parts: list[bytes] = []
    rest = data
    while True:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size, 16)
        if not length:
            return b"".join(parts)
        parts.append(rest[:length])
        rest = rest[length + 2 :]


class Process:
    """A running runtime, its standard output and error in files."""

    def __init__(self, popen: subprocess.Popen[bytes], folder: Path) -> None:
        self.popen = popen
        self._folder = folder

    def wait(self) -> int:
        """Return the exit code."""
        return self.popen.wait(PATIENCE)

    def stdout(self) -> str:
        return (self._folder / "stdout").read_bytes().decode()

    def stderr(self) -> str:
        return (self._folder / "stderr").read_bytes().decode()


@dataclass(frozen=True)
class RuntimeCommand:
    """How a runtime that serves the folder `project` is started."""

    name: str
    argv: tuple[str, ...]
    """`{handler}` stands for the handler's name."""
    path: tuple[Path, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    prefix: str = "functions."
    compiled: bool = False
    """Whether it holds modules that Nuitka compiled, in another folder than their sources."""

    def command(self, variables: Mapping[str, str]) -> list[str]:
        """The command line, for these variables."""
        return [part.format(handler=variables["_HANDLER"]) for part in self.argv]

    def _python(self) -> dict[str, str]:
        """What a Python needs to find the modules; a native package has its own."""
        path = os.pathsep.join(str(folder) for folder in self.path)
        return {"PYTHONPATH": path, "PYTHONPYCACHEPREFIX": BYTECODE.name} if path else {}

    @contextmanager
    def shared_folder(self) -> Iterator[Path]:
        """A folder that has the same path for the test and for the runtime."""
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)

    @contextmanager
    def start(self, api: RuntimeAPI | str, function: str, **environment: str) -> Iterator[Process]:
        """Run one function; what is left of the process is killed at the end. Failing tests tell what it printed."""
        address = api if isinstance(api, str) else api.address
        handler = function if "." in function or not function else self.prefix + function
        variables = {
            "PATH": os.environ["PATH"],
            "AWS_LAMBDA_RUNTIME_API": address,
            "_HANDLER": handler,
            "AWS_LAMBDA_FUNCTION_NAME": "conformance",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/conformance",
            "AWS_LAMBDA_LOG_STREAM_NAME": "2026/11/23/[$LATEST]0123",
            "TZ": "UTC",
            **self._python(),
            **self.environment,
            **environment,
        }
        argv = self.command(variables)
        with tempfile.TemporaryDirectory() as folder:
            with (Path(folder) / "stdout").open("wb") as out, (Path(folder) / "stderr").open("wb") as err:
                fds = [int(variables["_LAMBDA_TELEMETRY_LOG_FD"])] if "_LAMBDA_TELEMETRY_LOG_FD" in variables else []
                popen = subprocess.Popen(
                    argv, env=variables, stdout=out, stderr=err, cwd=folder, pass_fds=fds, start_new_session=True
                )
            process = Process(popen, Path(folder))
            try:
                yield process
            except BaseException as error:
                error.add_note(f"exit code {popen.poll()}; printed:\n{process.stdout()}{process.stderr()}")
                raise
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(popen.pid, signal.SIGKILL)
                popen.wait()


class Pool:
    """Runtimes that go on running, for tests that only send events and look at the answers."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._running: dict[tuple[str, str], tuple[RuntimeAPI, Process]] = {}

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @contextmanager
    def serve(self, command: RuntimeCommand, function: str) -> Iterator[RuntimeAPI]:
        """The Runtime API of a running function. It is given up when a test fails."""
        key = command.name, function
        if key not in self._running:
            api = self._stack.enter_context(RuntimeAPI())
            self._running[key] = api, self._stack.enter_context(command.start(api, function))
        api, process = self._running[key]
        try:
            yield api
        except BaseException as error:
            del self._running[key]
            error.add_note(f"exit code {process.popen.poll()}; printed:\n{process.stdout()}{process.stderr()}")
            raise


SOURCE = Path(__file__).parents[3] / "src"

PYL = RuntimeCommand(
    name="source",
    argv=(sys.executable, "-m", "pyl.runtime"),
    path=(PROJECT, SOURCE),
)
_WITH_EXTENSION = """
import importlib.util, sys
import pyl.runtime
specification = importlib.util.spec_from_file_location("pyl.runtime._native", sys.argv[1])
module = importlib.util.module_from_spec(specification)
sys.modules[specification.name] = pyl.runtime._native = module
specification.loader.exec_module(module)
from pyl.runtime.native import main
main()
"""


def with_extension(library: Path) -> RuntimeCommand:
    """Return the runtime from its sources, with the loop in C of an extension module. Sanitizers are preloaded."""
    names = ("LD_PRELOAD", "ASAN_OPTIONS", "PYTHONMALLOC")
    return replace(
        PYL,
        name="extension",
        argv=(sys.executable, "-c", _WITH_EXTENSION, str(library.absolute())),
        environment={name: os.environ[name] for name in names if name in os.environ},
    )


INTERPRETED = RuntimeCommand(
    name="interpreted",
    argv=(sys.executable, "-m", "awslambdaric", "{handler}"),
    path=(HERE / "interpreted", PROJECT, SOURCE),
    environment={"AWS_EXECUTION_ENV": "AWS_Lambda_python3.12"},
)
"""An interpreted package under AWS's client. It polls in a thread, as on Python 3.12 and later."""

REFERENCE = RuntimeCommand(
    name="awslambdaric",
    argv=(sys.executable, "-m", "awslambdaric", "{handler}"),
    path=(PROJECT, SOURCE),
    environment={"AWS_EXECUTION_ENV": "AWS_Lambda_python3.12"},
    prefix="plain.",
)
"""AWS's client with plain handlers and nothing of pyl: the module `plain` has the undecorated ones."""
