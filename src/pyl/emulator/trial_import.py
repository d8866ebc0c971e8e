"""Imports all functions of a source copy in a process of their own, to find broken ones before they are served."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping, Sequence

from pyl.emulator.environment_process import EnvironmentProcess
from pyl.emulator.launch import Unpacked, launch
from pyl.project.model import Function, Project

_TIMEOUT = 20.0
"""Seconds. Lambda allows 10 for an initialisation."""

_SCRIPT = """\
import json, os
from pyl.runtime import errors
from pyl.runtime.handlers.binding import Functions
from pyl.runtime.logging import logs
logs.configure(os.environ)
import functions
table = {{name: functions.TABLE[name] for name in {names!r}}}
failures = Functions(table).load_all()
reports = {{name: errors.describe(error).payload() for name, error in failures.items()}}
os.write({descriptor}, json.dumps(reports).encode())
os._exit(0)
"""


async def find_failures(package: Unpacked, project: Project) -> dict[str, str]:
    """Import all functions, and return the error of each one that fails, by name.

    Functions with equal environment variables share a process.
    """
    groups: dict[frozenset[tuple[str, str]], list[Function]] = {}
    for function in project.functions:
        groups.setdefault(frozenset(function.configuration.environment.items()), []).append(function)
    failures: dict[str, str] = {}
    for part in await asyncio.gather(*(_import(package, project, functions) for functions in groups.values())):
        failures |= part
    return failures


async def _import(package: Unpacked, project: Project, functions: Sequence[Function]) -> dict[str, str]:
    reading, writing = os.pipe()
    script = _SCRIPT.format(names=[function.name for function in functions], descriptor=writing)
    region = project.configuration.region
    try:
        process = await EnvironmentProcess.start(
            lambda clock: launch(
                package, functions[0], region=region, api="127.0.0.1:1", clock=clock, arguments=["-c", script]
            ),
            logs=asyncio.subprocess.DEVNULL,
            pass_fds=(writing,),
        )
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    try:
        await asyncio.wait({process.exit}, timeout=_TIMEOUT)
        ended = process.exit.done()
    finally:
        await process.end(graceful=False)
    with os.fdopen(reading, "rb") as report:
        reports = report.read() if ended else b""
    if reports:
        return {name: _format_error(error) for name, error in json.loads(reports).items()}
    reason = f"the process ended with {process.exit.result()}" if ended else f"it took more than {_TIMEOUT:.0f} s"
    return {function.name: f"cannot be imported: {reason}" for function in functions}


def _format_error(error: Mapping[str, object]) -> str:
    trace = error.get("stackTrace")
    frames = "".join(str(frame).replace("\u00a0", " ") for frame in trace) if isinstance(trace, list) else ""
    return f"{error.get('errorType')}: {error.get('errorMessage')}\n{frames}".rstrip()
