"""Packages with a minimal runtime in Python, and an emulator that serves them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from msgspec import structs

from pyl.emulator.background_loop import BackgroundLoop
from pyl.emulator.emulator import Emulator
from pyl.emulator.launch import Unpacked
from pyl.emulator.origin_policy import OriginPolicy
from pyl.emulator.reaper import Reaper
from pyl.emulator.routes import Route
from pyl.emulator.server import Server
from pyl.emulator.version import SharedResources, Version, make_version_folder
from pyl.project.config.model import Configuration, FunctionConfiguration
from pyl.project.model import Function, Project
from pyl.sandbox.memory_limits import MemoryLimits

BOOTSTRAP = """#!{python} -IS
import base64, http.client, json, os, sys, time
name = os.environ["_HANDLER"].partition(".")[2]
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
def post(kind, body, **headers):
    names = {{key.replace("_", "-"): text for key, text in headers.items()}}
    api.request("POST", f"/2018-06-01/runtime/invocation/{{request}}/{{kind}}", body, names)
    return api.getresponse().read()
def stream(pieces, content_type="application/octet-stream", error=None):
    api.putrequest("POST", f"/2018-06-01/runtime/invocation/{{request}}/response")
    for key, text in (("Lambda-Runtime-Function-Response-Mode", "streaming"), ("Transfer-Encoding", "chunked"),
                      ("Content-Type", content_type), ("Trailer", "Lambda-Runtime-Function-Error-Type"),
                      ("Trailer", "Lambda-Runtime-Function-Error-Body")):
        api.putheader(key, text)
    api.endheaders()
    for piece in pieces:
        api.send(b"%x\\r\\n%s\\r\\n" % (len(piece), piece))
    api.send(b"0\\r\\n")
    if error:
        body = base64.b64encode(json.dumps(error).encode())
        api.send(b"Lambda-Runtime-Function-Error-Type: %s\\r\\n" % error["errorType"].encode())
        api.send(b"Lambda-Runtime-Function-Error-Body: %s\\r\\n" % body)
    api.send(b"\\r\\n")
    api.getresponse().read()
while True:
    api.request("GET", "/2018-06-01/runtime/invocation/next")
    response = api.getresponse()
    headers = response.headers
    event = json.loads(response.read())
    request = headers["Lambda-Runtime-Aws-Request-Id"]
    result = ...
    {body}
    if result is not ...:
        post("response", result if isinstance(result, bytes) else json.dumps(result))
"""


def package(folder: Path, body: str) -> Path:
    """Write a package whose `bootstrap` runs `body` for each event and responds with the value of `result`."""
    task = folder / "package"
    task.mkdir()
    python = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
    (task / "bootstrap").write_text(BOOTSTRAP.format(python=python, body=body.replace("\n", "\n    ")))
    (task / "bootstrap").chmod(0o755)
    return task


def function(name: str = "f", *, event: str | None = None, **configuration: object) -> Function:
    """Return a function with this name."""
    return Function(
        name=name,
        module="handlers",
        attribute=name,
        file=Path("/project/handlers.py"),
        line=1,
        event=event,
        configuration=FunctionConfiguration(**configuration),  # type: ignore[arg-type]
    )


def project(*functions: Function) -> Project:
    """Return a project with these functions."""
    return Project(
        root=Path("/project"),
        name="fakes",
        configuration=Configuration(source=Path("/project"), region="eu-west-1"),
        functions=functions,
        files=(),
    )


@dataclass(frozen=True)
class Serving:
    """A running emulator."""

    address: str
    emulator: Emulator
    background: BackgroundLoop
    resources: SharedResources
    lines: list[tuple[str, str]] = field(default_factory=list)
    """Logged lines: name of the function, and text."""

    @property
    def port(self) -> int:
        """Port of the server."""
        return int(self.address.rpartition(":")[2])

    def replace(self, task: Path, *functions: Function) -> None:
        """Serve another version of the functions."""
        self.background.run(_replace(self, task, functions))


@contextmanager
def serving(
    task: Path,
    *functions: Function,
    concurrency: int = 100,
    policy: OriginPolicy | None = None,
    routes: Sequence[Route] = (),
    limits: bool = False,
) -> Iterator[Serving]:
    """Serve functions of the package in `task`, with memory limits if `limits` is set."""
    lines: list[tuple[str, str]] = []

    def show(name: str, line: str) -> None:
        lines.append((name, line))

    memory = MemoryLimits()
    if not limits:
        memory._hierarchy = None
    with BackgroundLoop() as background, Reaper() as reaper:
        resources = SharedResources(show=show, reaper=reaper, memory=memory)
        emulator = Emulator(concurrency=concurrency)
        server = Server(emulator, show=show, policy=policy, routes=routes)
        background.run(emulator.__aenter__())
        background.run(server.__aenter__())
        running = Serving(server.address, emulator, background, resources, lines)
        try:
            running.replace(task, *functions)
            yield running
        finally:
            background.run(emulator.__aexit__())
            background.run(server.__aexit__())


async def _replace(serving: Serving, task: Path, functions: Sequence[Function]) -> None:
    resources = serving.resources
    version = Version(project(*functions), Unpacked(task=task), make_version_folder(resources.reaper), resources)
    serving.emulator.replace(version)


def with_deployment(original: Function, **settings: object) -> Function:
    """Return a copy of a function with other deployment settings."""
    configuration = original.configuration
    deployment = structs.replace(configuration.deployment, **settings)
    return replace(original, configuration=structs.replace(configuration, deployment=deployment))
