"""Restores a fresh image once, at the build, to learn which pages a cold start touches.

What it writes is populated in one call at each later start; what it reads is read ahead in few requests. A function
is called only when a warm-up event is configured for it; else the trial ends when it asks for its first event.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import mmap
import os
import socket
import struct
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyl.emulator import sandbox
from pyl.image.addresses import PAGE

_PATIENCE = 20.0
_PRESENT, _FILE_BACKED = 1 << 63, 1 << 61
_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIATRIALTRIALTRIAL1",
    "AWS_SECRET_ACCESS_KEY": "trial",
    "AWS_SESSION_TOKEN": "trial",
}


@dataclass(frozen=True)
class WorkingSet:
    """Pages, by their addresses in the restored process."""

    written: frozenset[int] = frozenset()
    read: frozenset[int] = frozenset()
    """Offsets in the image file, rather: of pages that had to be read."""


def record(
    package: Path,
    image: Path,
    spans: Iterable[tuple[int, int]],
    *,
    environment: Mapping[str, str],
    events: Mapping[str, Any],
    functions: Iterable[str],
) -> WorkingSet:
    """The working set of a cold start of each function; empty when this machine cannot tell.

    `spans` are (address, length) of the image's memory.
    """
    if not _in_place(package) and sandbox.unavailable() is not None:
        return WorkingSet()
    spans = tuple(spans)
    written: set[int] = set()
    _forget(image)
    for function in [name for name in functions if name in events] or list(functions)[:1]:
        with contextlib.suppress(OSError, TimeoutError):
            written |= _cold_start(package, function, spans, environment, events)
    return WorkingSet(frozenset(written), frozenset(_cached(image)))


def _cold_start(
    package: Path,
    function: str,
    spans: tuple[tuple[int, int], ...],
    environment: Mapping[str, str],
    events: Mapping[str, Any],
) -> set[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(_PATIENCE)
        address = "{}:{}".format(*server.getsockname())
        values = {**environment, **_CREDENTIALS, "_HANDLER": f"functions.{function}", "AWS_LAMBDA_RUNTIME_API": address}
        command = [f"{sandbox.TASK_ROOT}/bootstrap"]
        if not _in_place(package):
            command = sandbox.command(command, task=package, environment=values)
        with subprocess.Popen(
            command,
            cwd=package,
            env=values,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                connection, _ = server.accept()
                with connection:
                    connection.settimeout(_PATIENCE)
                    _request(connection)
                    if function in events:
                        connection.sendall(_event(events[function]))
                        _request(connection)
                    return _written(process.pid, spans)
            finally:
                process.kill()


def _in_place(package: Path) -> bool:
    return os.path.realpath(package) == sandbox.TASK_ROOT


def _event(event: Any) -> bytes:
    body = json.dumps(event).encode()
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


def _written(process: int, spans: tuple[tuple[int, int], ...]) -> set[int]:
    found: set[int] = set()
    with Path(f"/proc/{process}/pagemap").open("rb", buffering=0) as pages:
        for start, length in spans:
            entries = os.pread(pages.fileno(), length // PAGE * 8, start // PAGE * 8)
            for index, (entry,) in enumerate(struct.iter_unpack("<Q", entries)):
                if entry & _PRESENT and not entry & _FILE_BACKED:
                    found.add(start + index * PAGE)
    return found


def _forget(image: Path) -> None:
    """Take the image out of the page cache, so that what is in it afterwards was touched."""
    with image.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _cached(image: Path) -> list[int]:
    """Offsets of the pages of a file that are in the page cache."""
    size = image.stat().st_size
    count = -(-size // PAGE)
    with (
        image.open("rb") as file,
        mmap.mmap(file.fileno(), size, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_WRITE) as view,
    ):
        residency = (ctypes.c_ubyte * count)()
        anchor = ctypes.c_char.from_buffer(view)
        libc = ctypes.CDLL(None, use_errno=True)
        failed = libc.mincore(ctypes.c_void_p(ctypes.addressof(anchor)), ctypes.c_size_t(size), residency)
        del anchor
        if failed:
            return []
    return [index * PAGE for index, resident in enumerate(residency) if resident & 1]


def runs(pages: Iterable[int], *, gap: int) -> list[tuple[int, int]]:
    """(start, length) of stretches of pages; those at most `gap` pages apart become one."""
    found: list[tuple[int, int]] = []
    for page in sorted(pages):
        if found and page - sum(found[-1]) <= gap * PAGE:
            found[-1] = (found[-1][0], page + PAGE - found[-1][0])
        else:
            found.append((page, PAGE))
    return found
