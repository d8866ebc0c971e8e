"""`pyl invoke`: invoke a function from source, from a package, or in AWS."""

from __future__ import annotations

import difflib
import json
import os
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import click

from pyl.cli.options import complete_examples, complete_functions, complete_packages, project_option
from pyl.cli.progress import ConsoleProgress
from pyl.errors import FunctionFailed, UsageError
from pyl.events.edits import edited
from pyl.project import load_project
from pyl.project.model import Function, Project


@dataclass(frozen=True)
class _Answer:
    """The response to one call."""

    payload: bytes
    error: str | None
    seconds: float
    content_type: str = "application/json"


@dataclass(frozen=True)
class _Plan:
    """A call to make, and how often."""

    project: Project
    function: Function
    event: bytes
    repeat: int
    wait: bool
    url: bool


@click.command()
@click.argument("name", shell_complete=complete_functions)
@click.option(
    "--package",
    "package_name",
    default=None,
    shell_complete=complete_packages,
    help="source, interpreted, native, or the path of a zip.  [default: the newest package]",
)
@click.option("--data", metavar="JSON", help="The event.")
@click.option(
    "--data-file", type=click.Path(path_type=Path, dir_okay=False, exists=True), help="A file that contains the event."
)
@click.option(
    "--example",
    metavar="SOURCE",
    shell_complete=complete_examples,
    help="A bundled sample event: sqs, s3, ..., or `event` for the function's own.",
)
@click.option("--set", "edits", multiple=True, metavar="PATH=VALUE",
              help="Set a value in the event, such as Records.0.body=hello. Can be repeated.")  # fmt: skip
@click.option(
    "--url", metavar="PATH", help="Send an HTTP request for PATH, as a function URL does, with --data as its body."
)
@click.option("--method", help="With --url: the HTTP method.  [default: GET, or POST with a body]")
@click.option(
    "--header", "headers", multiple=True, metavar="'NAME: TEXT'", help="With --url: a header. Can be repeated."
)
@click.option("--async", "later", is_flag=True, help="Do not wait for the response, and print none.")
@click.option(
    "--repeat", type=click.IntRange(1), default=1, show_default=True, help="Number of calls, one after another."
)
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write the response to this file.")
@click.option("--remote", is_flag=True, help="Call the function that `pyl deploy` put into AWS.")
@click.option("--tail", is_flag=True, help="With --remote: show the end of the log.")
@click.option("--qualifier", help="With --remote: a version or an alias.")
@click.option("--profile", help="With --remote: the AWS profile.")
@project_option
def command(
    name: str,
    package_name: str | None,
    data: str | None,
    data_file: Path | None,
    example: str | None,
    edits: tuple[str, ...],
    url: str | None,
    method: str | None,
    headers: tuple[str, ...],
    later: bool,
    repeat: int,
    output: Path | None,
    remote: bool,
    tail: bool,
    qualifier: str | None,
    profile: str | None,
    directory: Path,
) -> None:
    """Invoke the function NAME.

    The response is written to stdout, logs and Lambda's REPORT line to stderr. The exit code is 1 if the function
    reports an error. On this machine the package is at /var/task, read-only, as in Lambda.
    """
    _check(remote, package_name, {"--tail": tail, "--qualifier": qualifier, "--profile": profile})
    project = load_project(directory, environ=os.environ)
    function = find_function(project, name)
    if url is None:
        if method or headers:
            msg = "--method and --header need an HTTP request"
            raise UsageError(msg, hint="add its path with --url")
        event = edited(_event(function, data, data_file, example), edits)
    else:
        event = edited(_request(function, url, method, headers, _body(data, data_file, example)), edits)
    plan = _Plan(project=project, function=function, event=event, repeat=repeat, wait=not later, url=url is not None)
    answers = _remotely(plan, qualifier, profile, tail=tail) if remote else _here(plan, package_name)
    _finish(plan, answers, output)


def _check(remote: bool, package: str | None, for_remote: dict[str, str | bool | None]) -> None:
    used = [option for option, value in for_remote.items() if value]
    if used and not remote:
        msg = f"{used[0]} is for functions in AWS"
        raise UsageError(msg, hint="add --remote")
    if remote and package:
        msg = "--package is for calls on this machine, --remote is for calls in AWS"
        raise UsageError(msg, hint="remove one of them")


def _here(plan: _Plan, package: str | None) -> Iterator[_Answer]:
    from pyl.emulator.single_environment import create_environment, prepare_package
    from pyl.sandbox import execution

    if reason := execution.unavailable():
        click.echo(
            f"this machine allows no mount namespaces ({reason}): the package runs in its own folder, not at /var/task",
            err=True,
        )
    remaining = plan.repeat
    with prepare_package(plan.project, package, ConsoleProgress()) as unpacked:
        while remaining:
            with create_environment(plan.project, plan.function, unpacked, logs=sys.stderr.fileno()) as running:
                while remaining and running.usable:
                    outcome = running.invoke(plan.event)
                    click.echo(outcome.report(plan.function), err=True)
                    yield _Answer(outcome.payload, outcome.error, outcome.duration, outcome.content_type)
                    remaining -= 1


def _remotely(plan: _Plan, qualifier: str | None, profile: str | None, *, tail: bool) -> Iterator[_Answer]:
    import time

    from pyl.deploy.aws import connect
    from pyl.deploy.desired_state import owner_of
    from pyl.deploy.remote import invoke

    aws = connect(region=plan.project.configuration.region, environ=os.environ, profile=profile)
    name = owner_of(plan.project).function_name(plan.function.name)
    qualifier = qualifier or plan.function.configuration.deployment.alias
    for _ in range(plan.repeat):
        begun = time.monotonic()
        outcome = invoke(aws, name, plan.event, qualifier=qualifier, wait=plan.wait, tail=tail)
        if outcome.log:
            click.echo(outcome.log.rstrip("\n"), err=True)
        if not plan.wait:
            click.echo(f"accepted: RequestId {outcome.request_id}", err=True)
        yield _Answer(outcome.payload, outcome.error, time.monotonic() - begun)


def _finish(plan: _Plan, answers: Iterator[_Answer], output: Path | None) -> None:
    """Write the responses as they arrive.

    Raises:
        FunctionFailed: A call has reported an error. It is raised after the last one.
    """
    errors, seconds = [], []
    with _sink(output) as sink:
        for answer in answers:
            seconds.append(answer.seconds)
            if answer.error:
                errors.append(answer.error)
            if plan.wait:
                payload = _http(answer) if plan.url and not answer.error else answer.payload
                sink.write(payload if output and plan.repeat == 1 else payload + b"\n")
                sink.flush()
    if plan.repeat > 1:
        shown = [f"{1000 * figure:.2f}" for figure in (min(seconds), statistics.median(seconds), max(seconds))]
        click.echo(f"{len(seconds)} calls: min {shown[0]} ms, median {shown[1]} ms, max {shown[2]} ms", err=True)
    if errors and plan.wait:
        times = f" in {len(errors)} of {len(seconds)} calls" if plan.repeat > 1 else ""
        msg = f"{plan.function.name} reported {errors[0]}{times}"
        raise FunctionFailed(msg)


@contextmanager
def _sink(output: Path | None) -> Iterator[BinaryIO]:
    if output is None:
        yield sys.stdout.buffer
        return
    try:
        with output.open("wb") as file:
            yield file
    except OSError as error:
        msg = f"cannot write {output}: {error.strerror}"
        raise UsageError(msg) from error


def _http(answer: _Answer) -> bytes:
    """Return the body of the HTTP response, and print status and headers to stderr."""
    from pyl.emulator.http_responses import BadResponse, parse_whole_response

    try:
        response = parse_whole_response(answer.payload, answer.content_type)
    except BadResponse as error:
        msg = f"the response cannot be sent over HTTP: {error}"
        raise FunctionFailed(msg) from error
    lines = [f"HTTP {response.status}", *(f"{name}: {text}" for name, text in response.headers)]
    click.echo("\n".join(lines), err=True)
    return response.body


def find_function(project: Project, name: str) -> Function:
    """Return a function of the project by its name.

    Raises:
        UsageError: The project has no such function.
    """
    functions = {function.name: function for function in project.functions}
    if name in functions:
        return functions[name]
    msg = f"{project.name} has no function {name}"
    near = difflib.get_close_matches(name, functions, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise UsageError(msg, hint=f"{hint}it has {', '.join(functions)}")


def _event(function: Function, data: str | None, data_file: Path | None, example: str | None) -> bytes:
    sources = [option for option in (data, data_file, example) if option is not None]
    if len(sources) != 1:
        msg = "pass the event with exactly one of --data, --data-file and --example"
        raise UsageError(msg, hint="for instance `--data '{}'`, or `--example sqs` for a sample event")
    if data_file is not None:
        return _check_json(data_file.read_bytes(), str(data_file))
    if data is not None:
        return _check_json(data.encode(), "--data")
    return sample_event(function, str(example))


def _body(data: str | None, data_file: Path | None, example: str | None) -> bytes:
    if example is not None or (data is not None and data_file is not None):
        msg = "the body of a request comes from --data or --data-file"
        raise UsageError(msg)
    return data_file.read_bytes() if data_file else (data or "").encode()


def _request(function: Function, url: str, method: str | None, headers: tuple[str, ...], body: bytes) -> bytes:
    """Return the event for a request to the function's URL or, if it takes those events, to its REST API."""
    from pyl.emulator.http_events import HTTPRequest, rest_api_event, url_event
    from pyl.emulator.routes import takes_rest_events

    path, _, query = url.partition("?")
    request = HTTPRequest(
        method=(method or ("POST" if body else "GET")).upper(),
        path=path if path.startswith("/") else f"/{path}",
        query=query,
        headers=(("host", "localhost"), ("user-agent", "pyl"), *map(_header, headers)),
        body=body,
    )
    if takes_rest_events(function):
        parameters = {"proxy": request.path.lstrip("/")}
        return json.dumps(rest_api_event(request, resource="/{proxy+}", path_parameters=parameters)).encode()
    return json.dumps(url_event(request, api=function.name)).encode()


def _header(text: str) -> tuple[str, str]:
    name, separator, value = text.partition(":")
    if not separator or not name.strip():
        msg = f"--header {text!r} is not 'NAME: TEXT'"
        raise UsageError(msg)
    return name.strip(), value.strip()


def sample_event(function: Function, name: str) -> bytes:
    """Return a sample event.

    Args:
        function: The function that it is for.
        name: Name of a bundled sample, or `event` for the function's own event file.

    Raises:
        UsageError: There is no such sample, or the function has no event file.
    """
    from pyl.events import samples

    if name == "event":
        if function.configuration.event is None:
            msg = f"{function.name} has no event file"
            raise UsageError(msg, hint=f"set `event` in [tool.pyl.functions.{function.name}]")
        return function.configuration.event.read_bytes()
    if name not in samples.names():
        msg = f"there is no sample event {name}"
        raise UsageError(msg, hint=f"choose one of {', '.join(samples.names())}, or `event` for the function's own")
    return samples.load(name)


def _check_json(text: bytes, origin: str) -> bytes:
    try:
        json.loads(text)
    except ValueError as error:
        msg = f"the event in {origin} is not JSON: {error}"
        raise UsageError(msg) from error
    return text
