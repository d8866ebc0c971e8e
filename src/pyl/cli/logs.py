"""`pyl logs`: print the logs of a function in AWS."""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pyl.cli.options import complete_functions, json_option, profile_option, project_option, region_option

if TYPE_CHECKING:
    from pyl.deploy.logs import LogEvent


@click.command()
@click.argument("name", shell_complete=complete_functions)
@click.option("-f", "--follow", is_flag=True, help="Keep printing new events until Ctrl-C.")
@click.option("--since", default="10m", show_default=True, help="Start time: 10m, 2h or 3d ago, or a time in ISO 8601.")
@click.option("--filter", "pattern", metavar="PATTERN", help="A filter pattern of CloudWatch Logs.")
@profile_option
@region_option
@project_option
@json_option
def command(
    name: str,
    follow: bool,
    since: str,
    pattern: str | None,
    profile: str | None,
    region: str | None,
    directory: Path,
    as_json: bool,
) -> None:
    """Print the logs of the function NAME in AWS.

    Times are in UTC. With --json, prints one object per line.
    """
    from pyl.deploy.aws import connect
    from pyl.deploy.inventory import find_target
    from pyl.deploy.logs import find_log_group, follow_events, parse_time, read_events
    from pyl.project import load_project

    begin = parse_time(since, dt.datetime.now(dt.UTC))
    project = load_project(directory, environ=os.environ, overrides={"region": region})
    aws = connect(region=project.configuration.region, environ=os.environ, profile=profile)
    group = find_log_group(aws, find_target(aws, project, name))
    if follow:
        _print(follow_events(aws, group, since=begin, pattern=pattern), as_json=as_json)
        return
    events = read_events(aws, group, since=begin, pattern=pattern)
    _print(events or (), as_json=as_json)
    if not events:
        message = (
            f"the log group {group} does not exist yet" if events is None else f"no events in {group} since {since}"
        )
        click.echo(message, err=True)


def _print(events: Iterable[LogEvent], *, as_json: bool) -> None:
    try:
        for event in events:
            time = event.time.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
            click.echo(json.dumps(event.as_json()) if as_json else f"{time}Z {event.message}")
            sys.stdout.flush()
    except KeyboardInterrupt:  # the usual end of --follow
        raise click.exceptions.Exit(130) from None
    except BrokenPipeError:  # the reader, such as `head`, has exited
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
