"""`pyl events`: list and print sample events."""

from __future__ import annotations

import json

import click

from pyl.cli.options import complete_examples, json_option
from pyl.events import EVENTS, samples
from pyl.events.edits import edited


@click.command()
@click.argument("source", required=False, shell_complete=complete_examples)
@click.option("--set", "edits", multiple=True, metavar="PATH=VALUE",
              help="Set a value in the event, such as Records.0.body=hello. Can be repeated.")  # fmt: skip
@json_option
def command(source: str | None, edits: tuple[str, ...], as_json: bool) -> None:
    """Print the sample event of SOURCE (sqs, s3, ...), or list the sources.

    `pyl invoke NAME --example SOURCE` sends it. `pyl events SOURCE > event.json` writes it to a file that you can edit.
    """
    if source is None:
        if edits:
            msg = "--set needs a SOURCE, whose sample event it changes"
            raise click.UsageError(msg)
        _list(as_json)
        return
    click.echo(edited(samples.load(source), edits).decode().rstrip("\n"))


def _list(as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([{"source": name, "type": _type(name)} for name in samples.names()]))
        return
    for name in samples.names():
        click.echo(f"{name:16} {_type(name)}")


def _type(source: str) -> str:
    """Return the import path of the event's type."""
    return f"pyl.events.{EVENTS[source].partition(':')[2]}"
