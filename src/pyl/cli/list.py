"""`pyl list`: what the project has in AWS."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pyl.architecture import Architecture
from pyl.cli.options import json_option, profile_option, project_option, region_option

if TYPE_CHECKING:
    from pyl.deploy.inventory import Deployed


@click.command()
@profile_option
@region_option
@project_option
@json_option
def command(profile: str | None, region: str | None, directory: Path, as_json: bool) -> None:
    """List the project's functions in AWS, and those of its code that are not there.

    What AWS has of the project is found by its tags, so functions that the code no longer has are listed, too.
    """
    from pyl.deploy.aws import connect
    from pyl.deploy.inventory import deployed
    from pyl.project import load_project

    project = load_project(directory, environ=os.environ, overrides={"region": region})
    aws = connect(region=project.configuration.region, environ=os.environ, profile=profile)
    rows = deployed(aws, project)
    if as_json:
        click.echo(json.dumps([row.as_json() for row in rows]))
        return
    width = max(len(row.target.name) for row in rows)
    for row in rows:
        click.echo(f"{row.target.name:{width}}  {_summary(row)}")
        for line in _details(row):
            click.echo(f"{'':{width}}  {line}")


def _summary(row: Deployed) -> str:
    known = row.configuration
    if not known:
        return "not in AWS: `pyl deploy` makes it"
    architecture = next(iter(known.get("Architectures") or (Architecture.X86_64,)))
    modified = str(known.get("LastModified", ""))[:19]
    text = f"{known['Runtime']} {architecture}  {known['MemorySize']} MB  {known['Timeout']} s  {modified}"
    return text if row.in_project else f"{text}  not in the project: `pyl delete {row.target.function.name}` removes it"


def _details(row: Deployed) -> list[str]:
    aliases = [f"alias {name}: version {version}" for name, version in row.aliases.items()]
    return [*aliases, *([f"url {row.url}"] if row.url else []), *row.triggers]
