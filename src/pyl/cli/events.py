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
              help="Put a value into the event, like Records.0.body=hello; may be repeated.")  # fmt: skip
@json_option
def command(source: str | None, edits: tuple[str, ...], as_json: bool) -> None:
    """Print the sample event of SOURCE (sqs, s3, ...), or list the sources.

    `pyl invoke NAME --example SOURCE` sends it; `pyl events SOURCE > event.json` is a start for one of your own.
    """
    if source is None:
        if edits:
            msg = "--set changes the sample of a source; name one"
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
    """How handlers import it."""
    return f"pyl.events.{EVENTS[source].partition(':')[2]}"
