"""AWS's Python runtime client, which is at `/var/runtime` on the managed runtimes."""

from __future__ import annotations

import sys
from pathlib import Path

from pyl import cache
from pyl.errors import EngineError
from pyl.process import CommandFailed, run
from pyl.project.dependencies import uv

VERSION = "4.2.2"


def install_awslambdaric() -> Path:
    """Return a folder with awslambdaric and its dependencies. It is installed once per Python version.

    Raises:
        EngineError: It cannot be installed.
    """

    def install(folder: Path) -> None:
        command: list[str | Path] = [uv(), "pip", "install", "--quiet", "--compile-bytecode", "--target", folder]
        command += ["--python", sys.executable, f"awslambdaric=={VERSION}"]
        try:
            run(command)
        except CommandFailed as failure:
            msg = f"cannot install awslambdaric {VERSION}, which runs interpreted packages:\n{failure.output.strip()}"
            raise EngineError(msg, hint="this needs Linux, and access to the package index the first time") from failure

    name = cache.key(VERSION, "with bytecode", sys.implementation.cache_tag, sys.version)
    return cache.entry("awslambdaric", name, install)
