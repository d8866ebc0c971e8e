"""Damages images at random places, and judges how a start from each ends."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from integration.image.forged_headers import header_of, overwrite, write_header
from integration.image.lambda_environment import LAMBDA
from pyl.image.arch.x86_64.registers import STATE
from pyl.image.file.names import IMAGE, MEMORY
from pyl.image.file.structures import ACTION, FILE, GUARD, HEADER, RANGE, SEGMENT, VARIANT, WORD_KIND
from pyl.image.structures import Structure
from pyl.lambda_environment import PAGE
from pyl.sandbox import execution

LONGEST_START = 10.0
"""Seconds. A start that takes longer hangs."""

_ROWS = {"guards": GUARD, "segments": SEGMENT, "packed": SEGMENT, "actions": ACTION, "word_kinds": WORD_KIND}
_RANGES = ("mapped", "encoded", "populate", "rarely_used", "neighbourhoods", "patched")
TABLES: Mapping[str, Structure] = {**_ROWS, **dict.fromkeys(_RANGES, RANGE)}
"""Structure of the rows of each table of a variant."""


@dataclass(frozen=True)
class Field:
    """One number in a header."""

    name: str
    place: int
    size: int
    neighbours: tuple[int, ...] = ()
    """Offsets of the same member in other rows of its table."""


def fields_of(header: bytes) -> dict[str, list[Field]]:
    """Return the fields of a header by the structure, or the table, that they are in."""
    head = HEADER.unpack_from(header)
    fields: dict[str, list[Field]] = {
        "header": _members("header", HEADER, 0),
        "files": _rows("files", FILE, head["files.offset"], head["files.count"]),
        "variant": [],
        "processor": [],
    }
    for number in range(head["variants.count"]):
        place = head["variants.offset"] + number * (VARIANT.size + STATE.size)
        variant = VARIANT.unpack_from(header, place)
        fields["variant"] += _members("variant", VARIANT, place)
        fields["processor"] += _members("processor", STATE, place + VARIANT.size)
        for name, row in TABLES.items():
            rows = _rows(name, row, variant[f"{name}.offset"], variant[f"{name}.count"])
            fields.setdefault(name, []).extend(rows)
    return {name: members for name, members in fields.items() if members}


def _members(name: str, structure: Structure, start: int) -> list[Field]:
    members: list[Field] = []
    for member in structure.fields:
        place = start + structure.offset(member.name)
        if isinstance(member.type, Structure):
            members += _members(f"{name}.{member.name}", member.type, place)
        else:
            members.append(Field(f"{name}.{member.name}", place, 4 if member.type == "uint32_t" else 8))
    return members


def _rows(name: str, structure: Structure, start: int, count: int) -> list[Field]:
    members = _members(name, structure, 0)
    return [
        Field(
            f"{member.name}[{number}]",
            start + number * structure.size + member.place,
            member.size,
            tuple(start + other * structure.size + member.place for other in range(count) if other != number),
        )
        for number in range(count)
        for member in members
    ]


def damage_header(image: Path, seeded: random.Random) -> str:
    """Change one number of a header, or one bit anywhere in it, and its checksum; return what was changed."""
    header = header_of(image)
    if seeded.random() < 0.2:
        place, bit = seeded.randrange(len(header)), seeded.randrange(8)
        header[place] ^= 1 << bit
        write_header(image, header)
        return f"bit {bit} of the header's byte {place}"
    table = seeded.choice(list(fields_of(bytes(header)).values()))
    chosen = seeded.choice(table)
    end = chosen.place + chosen.size
    largest = 2 ** (8 * chosen.size) - 1
    original = int.from_bytes(header[chosen.place : end], "little")
    values = [0, 1, largest, largest // 2, PAGE - 1, original ^ 1 << seeded.randrange(8 * chosen.size)]
    values += [original + change for change in (-PAGE, -8, -1, 1, 8, PAGE)]
    values += [seeded.randrange(largest), seeded.randrange(1 << 20) * PAGE]
    if chosen.neighbours:
        neighbour = seeded.choice(chosen.neighbours)
        values += [int.from_bytes(header[neighbour : neighbour + chosen.size], "little")] * 3
    value = seeded.choice(values) & largest
    header[chosen.place : end] = value.to_bytes(chosen.size, "little")
    write_header(image, header)
    return f"{chosen.name}: {original:#x} -> {value:#x}"


def damage_pages(package: Path, seeded: random.Random) -> str:
    """Change bytes of the stored pages, which have no checksum; return where."""
    name = seeded.choice((IMAGE, MEMORY))
    size = (package / name).stat().st_size
    first = len(header_of(package / IMAGE)) if name == IMAGE else 0
    place = seeded.randrange(first, size)
    content = seeded.randbytes(seeded.choice((1, 8, 64, PAGE)))[: size - place]
    overwrite(package / name, content, place)
    return f"{len(content)} bytes at {place} of {name}"


@dataclass
class Outcome:
    """How a start ended."""

    answers: list[tuple[str, Any]] = field(default_factory=list)
    """Path, without its beginning, and body of each request that is no demand for an event."""
    returncode: int | None = None
    """None when it ran on: it was ended after its answer, or after LONGEST_START."""
    log: str = ""

    @property
    def error(self) -> bool:
        """Whether it ended with an error that is told to the Runtime API, or at least in the log."""
        if self.answers:
            return self.answers[0][0].endswith("error")
        return self.returncode is not None and bool(self.log.strip())


def judge(outcome: Outcome, expected: Any) -> str:
    """Return "right", "error", or what must not be: "wrong answer", "hang", "silent death"."""
    if outcome.answers and outcome.answers[0][0].endswith("response"):
        return "right" if outcome.answers[0][1] == expected else "wrong answer"
    if outcome.error:
        return "error"
    return "hang" if outcome.returncode is None else "silent death"


class _RuntimeApi(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, event: Any) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.event = event
        self.is_taken = False
        self.outcome = Outcome()
        self.closed = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of connections that break: programs are ended in the middle of them."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _RuntimeApi

    def do_GET(self) -> None:
        if self.server.is_taken:
            self.server.closed.wait(2 * LONGEST_START)
            return
        self.server.is_taken = True
        body = json.dumps(self.server.event).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Lambda-Runtime-Aws-Request-Id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
        self.send_header("Lambda-Runtime-Deadline-Ms", "4102444800000")
        self.send_header(
            "Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:under-test"
        )
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            content = json.loads(body)
        except ValueError:
            content = body.decode("latin-1")
        self.server.outcome.answers.append((self.path.rpartition("/")[2], content))
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """Say nothing."""


def start(package: Path, event: Any = None, limits: str = "", *, plain: bool = False) -> Outcome:
    """Start a package, hand it one event, and return how that ended.

    Args:
        package: An unpacked package.
        event: What its function gets.
        limits: A command of a shell to run before it, such as `ulimit -n 4`.
        plain: Start the program itself, not the launcher.
    """
    with _RuntimeApi(event) as server, tempfile.TemporaryFile() as log:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        environment = {**LAMBDA, "_HANDLER": "functions.handler"}
        environment["AWS_LAMBDA_RUNTIME_API"] = "{}:{}".format(*server.server_address)
        app = "/var/task/pyl/app"
        loader = [f"{app}/ld-linux-x86-64.so.2", "--library-path", app, f"{app}/program"]
        command = loader if plain else ["/var/task/bootstrap"]
        if limits:
            command = ["/bin/sh", "-c", f"{limits}; exec {' '.join(command)}"]
        argv = execution.command(command, task=package, environment=environment)
        process = subprocess.Popen(argv, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        outcome, deadline = server.outcome, time.monotonic() + LONGEST_START
        try:
            while not outcome.answers and time.monotonic() < deadline and process.poll() is None:
                time.sleep(0.01)
        finally:
            outcome.returncode = process.poll()
            process.kill()
            process.wait()
            server.closed.set()
            server.shutdown()
        log.seek(0)
        outcome.log = log.read().decode(errors="replace")
    return outcome


def copies(package: Path, folder: Path, count: int) -> Iterator[Path]:
    """Yield copies of a package whose image may be changed without a change of the others."""
    for number in range(count):
        copy = folder / str(number)
        shutil.copytree(package, copy, copy_function=_link)
        restore_files(package, copy)
        yield copy


def restore_files(package: Path, copy: Path) -> None:
    """Bring the image of a copy back."""
    for name in (IMAGE, MEMORY):
        (copy / name).unlink(missing_ok=True)
        shutil.copyfile(package / name, copy / name)


def _link(source: str, target: str) -> None:
    Path(target).hardlink_to(source)
