"""Measures the time of container builds (`make bench-container`): first builds, and one after changing one line.

The base image and the builder's image are pulled and built before the measurement. A first build begins with an empty
volume. DOCKER_HOST, PYL_BASE_IMAGE and PYL_BASE_PYTHON work as for `pyl build`.
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
"""Maximum seconds on two otherwise idle cores."""


def main() -> int:
    """Measure the builds and print a table; return 1 when a build took longer than its target."""
    seconds: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="pyl-bench-") as folder:
        hello, orders = (
            Path(shutil.copytree(EXAMPLES / name, Path(folder, name), ignore=shutil.ignore_patterns("build")))
            for name in ("hello", "orders")
        )
        build(hello, "--no-cache", "--timeout", "5", expected=(0, 3))  # builds the builder's image
        seconds["hello, first"] = build(hello)
        module = hello / "src" / "handlers.py"
        module.write_text(module.read_text(encoding="utf-8") + "CHANGED = 1\n", encoding="utf-8")
        seconds["hello, one line changed"] = build(hello)
        seconds["orders, first"] = build(orders)
    show(seconds)
    return int(any(seconds[name] > limit for name, limit in TARGETS.items()))


def build(project: Path, *options: str, expected: tuple[int, ...] = (0,)) -> float:
    """Run `pyl build --native --builder container`, and return the seconds that it took."""
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


def show(seconds_by_build: dict[str, float]) -> None:
    """Print the table and the machine's load."""
    table = Table("build", "seconds", "target")
    for name, seconds in seconds_by_build.items():
        table.add_row(name, f"{seconds:.1f}", f"at most {TARGETS[name]}")
    console = Console()
    console.print(table)
    load = ", ".join(f"{average:.1f}" for average in os.getloadavg())
    console.print(f"{platform.platform()}, {os.cpu_count()} cores, load average {load}")


if __name__ == "__main__":
    sys.exit(main())
