"""Restores a fresh image once, at the build, to record which pages a cold start touches.

Those pages are stored beside each other in the file that cold starts read, and written ones are populated in few calls.
A function is called only if a warm-up event is configured for it, since a call has effects. Otherwise a function of
pyl's own is called.
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

from pyl.image import arch
from pyl.image.arch.interface import Processor
from pyl.image.capture.page_tracker import PageTracker
from pyl.image.capture.protocol import REHEARSAL
from pyl.lambda_environment import TASK_ROOT
from pyl.sandbox import execution

_TIMEOUT = 20.0
"""Seconds to wait for the process at each step."""


def record(
    package: Path,
    segments: Iterable[tuple[int, int, int]],
    *,
    environment: Mapping[str, str],
    events: Mapping[str, Any],
) -> dict[int, bool]:
    """Return the pages that cold starts touch: address to whether it is written, in the order of the first touch.

    Args:
        package: The unpacked package with its image.
        segments: (address, length, protection) of the image's memory.
        environment: All variables of an instance.
        events: Warm-up events by function.

    Returns:
        Nothing if this machine cannot record them.
    """
    processor = arch.host()
    if processor is None or (not _in_place(package) and execution.unavailable() is not None):
        return {}
    segments = tuple(segments)
    touched: dict[int, bool] = {}
    for function, event in (events or {REHEARSAL: {}}).items():
        with contextlib.suppress(OSError, TimeoutError):
            tracker = _cold_start(processor, package, function, event, segments, environment)
            for page, written in tracker.touched.items():
                touched[page] = touched.get(page, False) or written
    return touched


def _cold_start(
    processor: Processor,
    package: Path,
    function: str,
    event: Any,
    segments: tuple[tuple[int, int, int], ...],
    environment: Mapping[str, str],
) -> PageTracker:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(_TIMEOUT)
        address = "{}:{}".format(*server.getsockname())
        values = {
            **environment,
            "_HANDLER": f"functions.{function}",
            "AWS_LAMBDA_RUNTIME_API": address,
        }
        command, environment = [f"{TASK_ROOT}/bootstrap"], values
        if not _in_place(package):
            command, environment = execution.command(command, task=package, environment=values), os.environ
        started: queue.SimpleQueue[PageTracker | OSError] = queue.SimpleQueue()
        # What starts a program is what may trace it, so one thread does both.
        thread = threading.Thread(
            target=_track, args=(processor, command, environment, segments, started), name="pyl cold start profile"
        )
        thread.start()
        tracker = started.get()
        if isinstance(tracker, OSError):
            thread.join()
            raise tracker
        try:
            connection, _ = server.accept()
            with connection:
                connection.settimeout(_TIMEOUT)
                _request(connection)
                connection.sendall(_event(event))
                _request(connection)
        finally:
            tracker.kill()
            thread.join()
            tracker.close()
        return tracker


_WAIT = "import json, os, sys; os.read(0, 1); os.execve(sys.argv[2], sys.argv[2:], json.loads(sys.argv[1]))"
"""Waits until it is traced, then becomes the command."""


def _track(
    processor: Processor,
    command: list[str],
    environment: Mapping[str, str],
    segments: tuple[tuple[int, int, int], ...],
    started: queue.SimpleQueue[PageTracker | OSError],
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
    tracker = PageTracker(processor, process.pid, segments)
    started.put(tracker)
    assert process.stdin is not None  # noqa: S101 - asked for with PIPE
    with process.stdin, contextlib.suppress(OSError):  # what was recorded until then still holds
        tracker.run(process.stdin.close)
    tracker.kill()
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
