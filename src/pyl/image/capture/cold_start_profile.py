"""Restores a fresh image once, at the build, to learn which pages a cold start touches.

What it touches stands together in the file that such starts read, and what it writes is populated in few calls. A
function is called only when a warm-up event is configured for it: what a call has for effects is the user's choice.
Where there is none, a function of pyl's own is called.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pyl.image.capture.page_tracker import Follower
from pyl.lambda_environment import TASK_ROOT
from pyl.runtime.restore.checkpoint import REHEARSAL
from pyl.sandbox import execution

_PATIENCE = 20.0

_VARIABLES = {
    # What Lambda sets besides, in values as long as its own: where a process finds memory depends on them.
    "AWS_ACCESS_KEY_ID": "AKIATRIALTRIALTRIAL1",
    "AWS_SECRET_ACCESS_KEY": "trial" * 8,
    "AWS_SESSION_TOKEN": "trial" * 100,
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
    "AWS_LAMBDA_LOG_STREAM_NAME": "2000/01/01/[$LATEST]" + "0" * 32,
    "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
}


def record(
    package: Path,
    segments: Iterable[tuple[int, int, int]],
    *,
    environment: Mapping[str, str],
    events: Mapping[str, Any],
) -> dict[int, bool]:
    """The pages that cold starts touch, by address: is it written?

    In the order in which they are first touched. `segments` are (address, length, protection) of the image's memory.
    Empty when this machine cannot tell.
    """
    if not _in_place(package) and execution.unavailable() is not None:
        return {}
    segments = tuple(segments)
    touched: dict[int, bool] = {}
    for function, event in (events or {REHEARSAL: {}}).items():
        with contextlib.suppress(OSError, TimeoutError):
            follower = _cold_start(package, function, event, segments, environment)
            for page, written in follower.touched.items():
                touched[page] = touched.get(page, False) or written
    return touched


def _cold_start(
    package: Path,
    function: str,
    event: Any,
    segments: tuple[tuple[int, int, int], ...],
    environment: Mapping[str, str],
) -> Follower:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(_PATIENCE)
        address = "{}:{}".format(*server.getsockname())
        values = {
            **environment,
            **_VARIABLES,
            "_HANDLER": f"functions.{function}",
            "AWS_LAMBDA_FUNCTION_NAME": function,
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function}",
            "AWS_LAMBDA_RUNTIME_API": address,
        }
        command, environment = [f"{TASK_ROOT}/bootstrap"], values
        if not _in_place(package):
            command, environment = execution.command(command, task=package, environment=values), os.environ
        started: queue.SimpleQueue[Follower | OSError] = queue.SimpleQueue()
        # What starts a program is what may trace it, so one thread does both.
        thread = threading.Thread(target=_follow, args=(command, environment, segments, started), name="pyl trial")
        thread.start()
        follower = started.get()
        if isinstance(follower, OSError):
            thread.join()
            raise follower
        try:
            connection, _ = server.accept()
            with connection:
                connection.settimeout(_PATIENCE)
                _request(connection)
                connection.sendall(_event(event))
                _request(connection)
        finally:
            follower.end()
            thread.join()
            follower.close()
        return follower


_WAIT = "import json, os, sys; os.read(0, 1); os.execve(sys.argv[2], sys.argv[2:], json.loads(sys.argv[1]))"
"""Waits until it is traced, then becomes the command."""


def _follow(
    command: list[str],
    environment: Mapping[str, str],
    segments: tuple[tuple[int, int, int], ...],
    started: queue.SimpleQueue[Follower | OSError],
) -> None:
    try:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _WAIT, json.dumps(dict(environment)), *command],
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except OSError as error:
        started.put(error)
        return
    follower = Follower(process.pid, segments)
    started.put(follower)
    assert process.stdin is not None  # noqa: S101 - asked for with PIPE
    with process.stdin, contextlib.suppress(OSError):  # what was found until then still holds
        follower.run(process.stdin.close)
    follower.end()
    process.wait()


def _in_place(package: Path) -> bool:
    return os.path.realpath(package) == TASK_ROOT


def _event(event: Any) -> bytes:
    body = json.dumps(event, indent=1).encode()  # with white space, which some senders leave out
    head = (
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        "Lambda-Runtime-Aws-Request-Id: 00000000-0000-0000-0000-000000000000\r\n"
        "Lambda-Runtime-Deadline-Ms: 4102444800000\r\n"
        "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:000000000000:function:trial\r\n"
        "Lambda-Runtime-Trace-Id: Root=1-00000000-000000000000000000000000;Sampled=0\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _request(connection: socket.socket) -> None:
    """Read a request as far as its head: by then the process has done its work."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(65536)
        if not piece:
            raise TimeoutError
        received += piece
