"""`pyl invoke`: call one function of a package in the local emulator."""

from __future__ import annotations

import contextlib
import difflib
import json
import os
import sys
from pathlib import Path

import click

from pyl.cli.options import complete_examples, complete_functions, complete_packages, project_option
from pyl.emulator import sandbox
from pyl.emulator.environment import Environment, Outcome
from pyl.emulator.packages import package_path
from pyl.emulator.unpacked import layer_of, unpacked
from pyl.errors import FunctionFailed, UsageError
from pyl.project import load_project
from pyl.project.model import Function, Project


@click.command()
@click.argument("name", shell_complete=complete_functions)
@click.option(
    "--package",
    "package_name",
    default=None,
    shell_complete=complete_packages,
    help="interpreted, native, or the path of a zip.  [default: the newest]",
)
@click.option("--data", metavar="JSON", help="The event.")
@click.option(
    "--data-file", type=click.Path(path_type=Path, dir_okay=False, exists=True), help="A file with the event."
)
@click.option(
    "--example",
    metavar="SOURCE",
    shell_complete=complete_examples,
    help="A bundled sample event: sqs, s3, ..., or `event` for the function's own.",
)
@project_option
def command(
    name: str,
    package_name: str | None,
    data: str | None,
    data_file: Path | None,
    example: str | None,
    directory: Path,
) -> None:
    """Invoke the function NAME of a built package.

    The response goes to stdout, logs and Lambda's REPORT line to stderr; the exit code is 1 when the function
    reports an error. The package stands at /var/task, read-only, as in Lambda.
    """
    project = load_project(directory, environ=os.environ)
    function = find_function(project, name)
    event = _event(function, data, data_file, example)
    outcome = invoke(project, function, package_path(project, package_name), event)
    click.echo(outcome.payload.decode("utf-8", "replace"))
    if outcome.error:
        msg = f"{name} reported {outcome.error}"
        raise FunctionFailed(msg)


def invoke(project: Project, function: Function, package: Path, event: bytes) -> Outcome:
    """Start `function` from `package`, hand it `event`, and show logs and REPORT line on stderr."""
    if why := sandbox.unavailable():
        click.echo(
            f"this machine allows no mount namespace ({why}): the package runs where it is, not at /var/task",
            err=True,
        )
    with contextlib.ExitStack() as stack:
        task = stack.enter_context(unpacked(package))
        layer = layer_of(package, task)
        environment = Environment(
            task,
            function,
            region=project.configuration.region,
            logs=sys.stderr.fileno(),
            layer=stack.enter_context(unpacked(layer)) if layer else None,
        )
        outcome = stack.enter_context(environment).invoke(event)
    click.echo(outcome.report(function), err=True)
    return outcome


def find_function(project: Project, name: str) -> Function:
    """The project's function `name`; an error lists those that exist."""
    found = {function.name: function for function in project.functions}
    if name in found:
        return found[name]
    msg = f"{project.name} has no function {name}"
    near = difflib.get_close_matches(name, found, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise UsageError(msg, hint=f"{hint}it has {', '.join(found)}")


def _event(function: Function, data: str | None, data_file: Path | None, example: str | None) -> bytes:
    given = [option for option in (data, data_file, example) if option is not None]
    if len(given) != 1:
        msg = "give the event by exactly one of --data, --data-file and --example"
        raise UsageError(msg, hint="for instance `--data '{}'`, or `--example sqs` for a sample event")
    if data_file is not None:
        return _checked(data_file.read_bytes(), str(data_file))
    if data is not None:
        return _checked(data.encode(), "--data")
    return sample_event(function, str(example))


def sample_event(function: Function, name: str) -> bytes:
    """The bundled sample event `name`, or the function's own for `event`."""
    from pyl.events import samples

    if name == "event":
        if function.configuration.event is None:
            msg = f"{function.name} has no event file of its own"
            raise UsageError(msg, hint=f"set `event` in [tool.pyl.functions.{function.name}]")
        return function.configuration.event.read_bytes()
    if name not in samples.names():
        msg = f"there is no sample event {name}"
        raise UsageError(msg, hint=f"choose one of {', '.join(samples.names())}, or `event` for the function's own")
    return samples.load(name)


def _checked(text: bytes, origin: str) -> bytes:
    try:
        json.loads(text)
    except ValueError as error:
        msg = f"the event in {origin} is not JSON: {error}"
        raise UsageError(msg) from error
    return text
