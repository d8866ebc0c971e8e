"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

project_option = click.option(
    "--project",
    "directory",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=Path(),
    show_default="the folder you are in",
    help="Folder of the project (with pyproject.toml).",
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
