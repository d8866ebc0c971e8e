"""Times builds in the container, as `make bench-container`: first ones, and one after a change of one line.

The base image and the builder's image are there already, or are made before the clock runs. A first build begins with
an empty volume. DOCKER_HOST, PYL_BASE_IMAGE and PYL_BASE_PYTHON hold as for `pyl build`.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

EXAMPLES = Path(__file__).parents[1] / "examples"
TARGETS = {"hello, first": 90, "hello, one line changed": 20, "orders, first": 240}
"""Seconds on two cores that are otherwise idle."""


def main() -> int:
    """Build, and print a table; the exit code is 1 when a build took longer than its target."""
    taken: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="pyl-bench-") as folder:
        hello, orders = (
            Path(shutil.copytree(EXAMPLES / name, Path(folder, name), ignore=shutil.ignore_patterns("build")))
            for name in ("hello", "orders")
        )
        build(hello, "--no-cache", "--timeout", "5", expected=(0, 3))  # makes the builder's image
        taken["hello, first"] = build(hello)
        module = hello / "src" / "handlers.py"
        module.write_text(module.read_text(encoding="utf-8") + "CHANGED = 1\n", encoding="utf-8")
        taken["hello, one line changed"] = build(hello)
        taken["orders, first"] = build(orders)
    show(taken)
    return int(any(taken[name] > limit for name, limit in TARGETS.items()))


def build(project: Path, *options: str, expected: tuple[int, ...] = (0,)) -> float:
    """Seconds that `pyl build --native --builder container` takes."""
    program = str(Path(sys.executable).with_name("pyl"))
    command = [program, "build", "--native", "--builder", "container", "--json", "--project", str(project)]
    begun = time.monotonic()
    done = subprocess.run([*command, *options], stdout=subprocess.PIPE, text=True, check=False)
    seconds = time.monotonic() - begun
    if done.returncode not in expected:
        sys.exit(done.returncode)
    if done.stdout and json.loads(done.stdout)["image"]["kind"] != "full":
        sys.exit(f"{project.name}: no full process image: {done.stdout}")
    return seconds


def show(taken: dict[str, float]) -> None:
    """Print the table, with what else the processors had to do."""
    table = Table("build", "seconds", "target")
    for name, seconds in taken.items():
        table.add_row(name, f"{seconds:.1f}", f"at most {TARGETS[name]}")
    console = Console()
    console.print(table)
    load = ", ".join(f"{average:.1f}" for average in os.getloadavg())
    console.print(f"{platform.platform()}, {os.cpu_count()} cores, load average {load}")


if __name__ == "__main__":
    sys.exit(main())
