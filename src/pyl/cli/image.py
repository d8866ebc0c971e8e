"""`pyl image PACKAGE`: show a package's process image and its guards."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from pyl.image.file import description


@click.command()
@click.argument("package", type=click.Path(exists=True, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(package: Path, as_json: bool) -> None:
    """Show the process image in PACKAGE, which is a native zip or its unpacked folder."""
    content = description.read(package)
    if as_json:
        click.echo(json.dumps(content, indent=1))
        return
    click.echo("\n".join(_lines(content)))


_OWNERS_SHOWN = 12
_ABSENT = " is not set"


def _lines(content: Mapping[str, Any]) -> Iterator[str]:
    yield f"image      {content['kind']}, {_size(content['bytes'])}, {content['modules']} modules imported"
    yield f"processor  {content['processor']}"
    for names in content.get("groups", ()):
        yield f"apart      {', '.join(names)}"
    for reason in content["reasons"]:
        yield f"not full   {reason}"
    for finding in content.get("accepted", ()):
        yield f"accepted   {finding}"
    yield "owners"
    owners = list(content["owners"].items())
    for name, size in owners[:_OWNERS_SHOWN]:
        yield f"  {_size(size):>10}  {name}"
    if len(owners) > _OWNERS_SHOWN:
        rest = owners[_OWNERS_SHOWN:]
        yield f"  {_size(sum(size for _, size in rest)):>10}  {len(rest)} others"
    locations = {read["name"]: read["where"] for read in content["environment"]}
    yield "guards (used only when these hold; read at import at the place named)"
    absent: dict[str, list[str]] = {}
    for guard in content["guards"]:
        location = locations.get(guard["name"], "")
        if guard["condition"].endswith(_ABSENT) and location:
            absent.setdefault(location, []).append(guard["name"])
        else:
            yield f"  {guard['condition']}" + (f"  ({location})" if location else "")
    for location, names in absent.items():
        verb = _ABSENT if len(names) == 1 else " are not set"
        yield from textwrap.wrap(
            f"{', '.join(names)}{verb}  ({location})", 110, initial_indent="  ", subsequent_indent="    "
        )


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"
