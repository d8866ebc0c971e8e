"""Sends events through `pyl watch` as fast as possible, to the native package and to the interpreted one.

Usage: `make bench-load` (64 callers, 30 seconds for each package), or `python benchmarks/watch_load.py 5 8` (8 callers,
5 seconds).

Every response is compared with its event, and the log with the events: none may be lost, duplicated or swapped.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from rich.console import Console
from rich.table import Table

from pyl.cli.build import build_interpreted, build_native
from pyl.project import load_project

EXAMPLE = Path(__file__).parents[1] / "examples" / "hello"
FUNCTION = "hello"


@dataclass(frozen=True)
class Result:
    """The measurement of one kind of package."""

    kind: str
    seconds: float
    sent: int
    latencies: list[float]
    """Seconds until each correct response."""
    wrong: int
    """Number of responses that were an error, or belong to another event."""
    doubled: int
    """Number of events that reached a function more than once, or never."""

    @property
    def faults(self) -> int:
        """Number of lost, wrong and duplicated events."""
        return self.sent - len(self.latencies) + self.wrong + self.doubled


def main(seconds: float = 30.0, callers: int = 64) -> None:
    """Measure both packages, print a table, and exit with code 1 if there were faults."""
    project = load_project(EXAMPLE, environ=os.environ)
    with tempfile.TemporaryDirectory() as folder:
        packages = {
            "native": build_native(project, Path(folder)).path,
            "interpreted": build_interpreted(project, Path(folder)).path,
        }
        results = [measure(kind, package, Path(folder), seconds, callers) for kind, package in packages.items()]
    table = Table(title=f"{callers} callers for {seconds:g} s, function {FUNCTION}, through pyl watch")
    for heading in ("package", "calls/s", "median", "99 %", "answers", "lost", "wrong", "doubled"):
        table.add_column(heading, justify="left" if heading == "package" else "right")
    for result in results:
        cuts = statistics.quantiles(result.latencies, n=100)
        table.add_row(
            result.kind,
            f"{len(result.latencies) / result.seconds:,.0f}",
            f"{cuts[49] * 1000:.1f} ms",
            f"{cuts[98] * 1000:.1f} ms",
            f"{len(result.latencies):,}",
            *map(str, (result.sent - len(result.latencies) - result.wrong, result.wrong, result.doubled)),
        )
    Console().print(table)
    sys.exit(1 if any(result.faults for result in results) else 0)


def measure(kind: str, package: Path, folder: Path, seconds: float, callers: int) -> Result:
    """Serve one package and call it for `seconds`."""
    log = folder / f"{kind}.log"
    with serving(package, log) as address:
        result = asyncio.run(_call(kind, address, seconds, callers))
    seen = Counter(re.findall(r"^hello \| START RequestId: (\S+)", log.read_text("utf-8", "replace"), re.MULTILINE))
    doubled = sum(count - 1 for count in seen.values()) + abs(len(seen) - result.sent)
    return Result(kind, result.seconds, result.sent, result.latencies, result.wrong, doubled)


@contextmanager
def serving(package: Path, log: Path) -> Iterator[str]:
    """Run `pyl watch` with a package, and yield its address."""
    command = ["watch", "--project", EXAMPLE, "--package", package, "--port", "0", "--json"]
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-c", "from pyl.cli import main; main()", *map(str, command)],
            stdout=subprocess.PIPE,
            stderr=errors,
        )
    assert process.stdout
    try:
        yield json.loads(process.stdout.readline())["address"]
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()
        process.stdout.close()


async def _call(kind: str, address: str, seconds: float, callers: int) -> Result:
    numbers = itertools.count()
    latencies: list[float] = []
    wrong = sent = 0
    url = f"{address}/2015-03-31/functions/{FUNCTION}/invocations"

    async def call(session: aiohttp.ClientSession) -> None:
        nonlocal wrong, sent
        while time.monotonic() < end:
            event = {"number": next(numbers), "text": "x" * 100}
            sent += 1
            begun = time.monotonic()
            async with session.post(url, json=event) as response:
                answer = await response.json(content_type=None)
            if answer == event:
                latencies.append(time.monotonic() - begun)
            else:
                wrong += 1

    begun = time.monotonic()
    end = begun + seconds
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.gather(*(call(session) for _ in range(callers)))
    return Result(kind, time.monotonic() - begun, sent, latencies, wrong, 0)


if __name__ == "__main__":
    main(*(kind(text) for kind, text in zip((float, int), sys.argv[1:], strict=False)))
