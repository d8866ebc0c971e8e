"""Options and shell completions that several commands use."""

from __future__ import annotations

import os
from pathlib import Path

import click
from click.shell_completion import CompletionItem

project_option = click.option(
    "--project",
    "directory",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=Path(),
    show_default="the folder you are in",
    help="Folder of the project, which contains pyproject.toml.",
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")


profile_option = click.option("--profile", envvar="AWS_PROFILE", help="AWS profile.  [default: AWS_PROFILE]")

region_option = click.option("--region", help="AWS region.  [default: the project's]")


def complete_functions(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Complete the names of functions that are not on the command line yet, even if the project has problems."""
    from pyl.project import examine

    directories = ctx.params.get("directories") or [ctx.params.get("directory") or Path()]
    value = ctx.params.get(parameter.name or "")
    chosen = set(value) if isinstance(value, (tuple, list)) else set()
    try:
        names = [name for directory in directories for name in examine(directory, environ=os.environ).names]
    except OSError:
        return []
    return [name for name in names if name.startswith(incomplete) and name not in chosen]


def complete_examples(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Complete the names of sample events, and `event` for the function's own."""
    from pyl.events import samples

    return [name for name in ("event", *samples.names()) if name.startswith(incomplete)]


def complete_packages(
    _ctx: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem] | list[str]:
    """Complete the kinds of packages, or else file names."""
    kinds = [kind for kind in ("source", "interpreted", "native") if kind.startswith(incomplete)]
    return kinds or [CompletionItem(incomplete, type="file")]
