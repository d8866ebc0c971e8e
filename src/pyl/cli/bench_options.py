"""Options that `pyl bench` and pyl's own benchmark share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])

_OUTPUT = click.Path(path_type=Path, dir_okay=False)


def measurement_options(*, default_seconds: str) -> Callable[[_Command], _Command]:
    """Return a decorator that adds the options `--no-build`, `--rounds` and `--seconds`.

    The value of `--seconds` is None if the user does not set it.

    Args:
        default_seconds: The default of `--seconds`, for its help text.
    """
    return _combine(
        click.option("--no-build", is_flag=True, help="Measure the existing packages in build/pyl."),
        click.option(
            "--rounds",
            type=click.IntRange(6, 1000),
            default=60,
            show_default=True,
            help="Maximum number of rounds of a measurement.",
        ),
        click.option(
            "--seconds",
            type=click.FloatRange(1),
            help=f"Maximum time of a measurement.  [default: {default_seconds}]",
        ),
    )


def report_options() -> Callable[[_Command], _Command]:
    """Return a decorator that adds the options `--json`, `--html` and `--markdown`."""
    return _combine(
        click.option("--json", "json_file", type=_OUTPUT, help="Write all figures and samples to this file."),
        click.option("--html", "html_file", type=_OUTPUT, help="Write a report with plots to this file."),
        click.option("--markdown", "markdown_file", type=_OUTPUT, help="Write the tables to this file."),
    )


def _combine(*options: Callable[[_Command], _Command]) -> Callable[[_Command], _Command]:
    def decorate(command: _Command) -> _Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate
