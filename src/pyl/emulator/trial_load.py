"""Loads every function of a source copy once, to learn before it serves whether a save has broken it."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping, Sequence

from pyl.emulator.launch import Unpacked, launch
from pyl.emulator.process import EnvironmentProcess
from pyl.project.model import Function, Project

_PATIENCE = 20.0
"""Seconds; Lambda gives an initialisation 10."""

_SCRIPT = """\
import json, os
from pyl.runtime import errors
from pyl.runtime.handlers.binding import Functions
from pyl.runtime.logging import logs
logs.configure(os.environ)
import functions
table = {{name: functions.TABLE[name] for name in {names!r}}}
failures = Functions(table).load_all()
found = {{name: errors.describe(error).payload() for name, error in failures.items()}}
os.write({descriptor}, json.dumps(found).encode())
os._exit(0)
"""


async def failures(package: Unpacked, project: Project) -> dict[str, str]:
    """What goes wrong when the functions are imported, by function: one process for each set of their variables."""
    groups: dict[frozenset[tuple[str, str]], list[Function]] = {}
    for function in project.functions:
        groups.setdefault(frozenset(function.configuration.environment.items()), []).append(function)
    found: dict[str, str] = {}
    for group in await asyncio.gather(*(_load(package, project, functions) for functions in groups.values())):
        found |= group
    return found


async def _load(package: Unpacked, project: Project, functions: Sequence[Function]) -> dict[str, str]:
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
        await asyncio.wait({process.exit}, timeout=_PATIENCE)
        ended = process.exit.done()
    finally:
        await process.end(graceful=False)
    with os.fdopen(reading, "rb") as report:
        said = report.read() if ended else b""
    if said:
        return {name: _described(error) for name, error in json.loads(said).items()}
    why = f"the process ended with {process.exit.result()}" if ended else f"it took more than {_PATIENCE:.0f} s"
    return {function.name: f"it cannot be loaded: {why}" for function in functions}


def _described(error: Mapping[str, object]) -> str:
    trace = error.get("stackTrace")
    frames = "".join(str(frame).replace("\u00a0", " ") for frame in trace) if isinstance(trace, list) else ""
    return f"{error.get('errorType')}: {error.get('errorMessage')}\n{frames}".rstrip()
