"""`pyl watch`: serve all functions of a project locally, and reload them on save."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import click

from pyl.cli.options import complete_packages, json_option, project_option
from pyl.cli.progress import ConsoleProgress
from pyl.emulator.emulator import Emulator
from pyl.emulator.loading import Loader
from pyl.emulator.origin_policy import OriginPolicy
from pyl.emulator.packages import SOURCE
from pyl.emulator.reaper import Reaper
from pyl.emulator.reloading import Reloader, stop_on_signals
from pyl.emulator.routes import Route, RouteTable
from pyl.emulator.server import Server, is_loopback
from pyl.emulator.version import SharedResources, Version
from pyl.errors import UsageError
from pyl.project.config.pyproject import find_project
from pyl.sandbox import execution
from pyl.sandbox.memory_limits import MemoryLimits


@click.command()
@click.option(
    "--package",
    default=SOURCE,
    shell_complete=complete_packages,
    show_default=True,
    help="What to serve: source, interpreted, native, or the path of a zip. It is reloaded when it changes.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=9000,
    show_default=True,
    help="0 for any free port.",
)
@click.option("--route", "routes", multiple=True, metavar="'GET /PATH=NAME'",
              help="Another route than those of triggers: `ANY /files/{proxy+}=files`. Can be repeated.")  # fmt: skip
@click.option("--allow-origin", "origins", multiple=True, metavar="ORIGIN",
              help="Allow pages of this origin to call all functions. Can be repeated.")  # fmt: skip
@click.option("--allow-host", "hosts", multiple=True, metavar="NAME",
              help="Allow requests for this host name. Can be repeated.")  # fmt: skip
@click.option(
    "--concurrency",
    type=click.IntRange(1),
    default=100,
    show_default=True,
    help="Limit of simultaneous invocations.",
)
@json_option
@project_option
def command(
    package: str,
    host: str,
    port: int,
    routes: tuple[str, ...],
    origins: tuple[str, ...],
    hosts: tuple[str, ...],
    concurrency: int,
    as_json: bool,
    directory: Path,
) -> None:
    """Serve all functions of the project locally, as Lambda would, until Ctrl-C.

    SDKs and the AWS CLI invoke them if AWS_ENDPOINT_URL_LAMBDA is set to the printed address. Function URLs are at
    /url/NAME/, routes of HTTP API triggers at their own paths. Saved changes are served once they import without
    errors. See docs/local.md.
    """
    root = find_project(directory) if directory == Path() else directory.resolve()
    policy = OriginPolicy(hosts=(*hosts, *([] if is_loopback(host) else [host])), origins=origins)
    additional = tuple(_parse_route(text) for text in routes)
    asyncio.run(_serve(root, package, host, port, policy, additional, concurrency, as_json))


async def _serve(
    root: Path,
    package: str,
    host: str,
    port: int,
    policy: OriginPolicy,
    routes: tuple[Route, ...],
    concurrency: int,
    as_json: bool,
) -> None:
    progress = ConsoleProgress()
    _warn(progress, host)
    with Reaper() as reaper:
        memory = MemoryLimits()
        if memory.unavailable:
            progress.note(f"memory limits are not enforced: {memory.unavailable}")
        resources = SharedResources(show=_print_log_line, reaper=reaper, memory=memory)
        async with (
            stop_on_signals() as stop,
            Emulator(concurrency=concurrency) as emulator,
            Server(emulator, show=_print_log_line, host=host, port=port, policy=policy, routes=routes) as server,
        ):
            reloader = Reloader(emulator, Loader(root, package, resources, progress), progress)
            first = await reloader.load()
            table = RouteTable.from_functions(first.project.functions if first else (), routes)
            _print_addresses(server.address, first, table, as_json)
            await reloader.follow(root, stop, lambda version: _note_reload(progress, version))


def _warn(progress: ConsoleProgress, host: str) -> None:
    if not is_loopback(host):
        progress.note(f"{host} can be reached from other machines: anyone who can reach it can run your functions")
    if reason := execution.unavailable():
        progress.note(
            f"this machine allows no mount namespaces ({reason}): packages run in their own folder, not at /var/task"
        )


def _print_addresses(address: str, version: Version | None, table: RouteTable, as_json: bool) -> None:
    functions = list(version.functions) if version else []
    if as_json:
        click.echo(json.dumps({"address": address, "functions": functions}))
        sys.stdout.flush()
    lines = [f"local Lambda at {address}"]
    lines += [f"  {name:24} {address}/url/{name}/" for name in functions]
    lines += [f"  {route.key:24} {route.function}" for route in table.routes]
    lines += ["for SDKs and the AWS CLI:", f"  export AWS_ENDPOINT_URL_LAMBDA={address}"]
    click.echo("\n".join(lines), err=True)


def _note_reload(progress: ConsoleProgress, version: Version) -> None:
    progress.note(f"reloaded: {', '.join(version.functions)}")


def _print_log_line(name: str, line: str) -> None:
    prefix = click.style(f"{name} |", fg="cyan")
    click.echo("\n".join(f"{prefix} {part}" for part in line.split("\n")), err=True)


def _parse_route(text: str) -> Route:
    key, separator, function = text.rpartition("=")
    if not separator or not function:
        msg = f"{text!r} is not ROUTE=NAME"
        raise UsageError(msg, hint="for instance --route 'GET /orders/{id}=order'")
    return Route(key=key, function=function)
