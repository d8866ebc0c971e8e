"""`pyl cache`: the cache of builds."""

from __future__ import annotations

import click

from pyl.errors import EngineError


@click.group()
def command() -> None:
    """Show or remove the cache of builds."""


@command.command()
def path() -> None:
    """Print the path of the cache folder on this machine."""
    from pyl import cache

    click.echo(cache.root())


@command.command()
def clean() -> None:
    """Remove the cache folder, and pyl's volumes and images from the container engine."""
    from pyl import cache
    from pyl.packaging import builders

    click.echo(f"{cache.root()}: {cache.clean() / 1e6:.1f} MB removed")
    try:
        engine = builders.connect()
    except EngineError as error:
        click.echo(f"container engine: nothing removed ({error.message.partition(chr(10))[0]})", err=True)
        return
    with engine:
        for removed in engine.remove_everything():
            click.echo(f"{removed} removed")
