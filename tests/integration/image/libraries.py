"""C libraries for tests, compiled for packages."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TARGET = "x86_64-linux-gnu.2.26"


def add_library(package: Path, name: str, source: str, *flags: str) -> None:
    """Compile C to `name` beside the modules of an unpacked package."""
    site = package / "pyl" / "app" / "site"
    compiler = [sys.executable, "-m", "ziglang", "cc", "-target", TARGET, "-shared", "-s", *flags]
    subprocess.run([*compiler, "-o", site / name, "-x", "c", "-"], check=True, input=source.encode())
