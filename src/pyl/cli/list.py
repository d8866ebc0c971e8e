"""`pyl list`: list the project's functions in AWS."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pyl.architecture import Architecture
from pyl.cli.options import json_option, profile_option, project_option, region_option

if TYPE_CHECKING:
    from pyl.deploy.inventory import InventoryEntry


@click.command()
@profile_option
@region_option
@project_option
@json_option
def command(profile: str | None, region: str | None, directory: Path, as_json: bool) -> None:
    """List the project's functions in AWS, and those that are not deployed.

    Functions in AWS are found by the project's tag, so those that the code no longer has are listed, too.
    """
    from pyl.deploy.aws import connect
    from pyl.deploy.inventory import list_functions
    from pyl.project import load_project

    project = load_project(directory, environ=os.environ, overrides={"region": region})
    aws = connect(region=project.configuration.region, environ=os.environ, profile=profile)
    rows = list_functions(aws, project)
    if as_json:
        click.echo(json.dumps([row.as_json() for row in rows]))
        return
    width = max(len(row.target.name) for row in rows)
    for row in rows:
        click.echo(f"{row.target.name:{width}}  {_summary(row)}")
        for line in _details(row):
            click.echo(f"{'':{width}}  {line}")


def _summary(row: InventoryEntry) -> str:
    configuration = row.configuration
    if not configuration:
        return "not in AWS: run `pyl deploy` to create it"
    architecture = next(iter(configuration.get("Architectures") or (Architecture.X86_64,)))
    modified = str(configuration.get("LastModified", ""))[:19]
    size, timeout = f"{configuration['MemorySize']} MB", f"{configuration['Timeout']} s"
    text = f"{configuration['Runtime']} {architecture}  {size}  {timeout}  {modified}"
    if row.in_project:
        return text
    return f"{text}  not in the project: run `pyl delete {row.target.function.name}` to delete it"


def _details(row: InventoryEntry) -> list[str]:
    aliases = [f"alias {name}: version {version}" for name, version in row.aliases.items()]
    return [*aliases, *([f"url {row.url}"] if row.url else []), *row.triggers]
