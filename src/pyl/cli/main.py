"""The `pyl` command group, and the one place where errors become messages and exit codes."""

from __future__ import annotations

import importlib
import signal
import sys
from types import FrameType
from typing import Any, NoReturn

import click

from pyl.errors import PylError

COMMANDS = {
    "bench": "Measure the native package against the interpreted one.",
    "build": "Make a package: an interpreted zip, or a native one.",
    "cache": "Show or remove what builds keep for the next one.",
    "check": "Report wrong signatures and configuration, without importing the code.",
    "completion": "Print the script that completes commands and names in your shell.",
    "delete": "Delete what pyl made in AWS.",
    "deploy": "Create or update the functions in AWS.",
    "doctor": "Look for what pyl needs here and in AWS, and tell how to get what is missing.",
    "events": "List and print sample events.",
    "image": "Show what is in a native package's process image, and its guards.",
    "invoke": "Invoke a function: of a package, from source, or in AWS.",
    "list": "List what the project has in AWS.",
    "logs": "Print what a function logged in AWS.",
    "new": "Make a project with a function, a test and an event, for a kind of trigger.",
    "rollback": "Give callers an earlier version of a function.",
    "template": "Print the project as a template for SAM or Terraform.",
    "watch": "Serve all functions locally, as Lambda would, and reload on save.",
}
"""Command to its one-line help, so that `pyl --help` imports no command."""


class LazyGroup(click.Group):
    """A group whose commands live in `pyl.cli.<name>.command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"pyl.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="pyl")
@click.option("-v", "--verbose", is_flag=True, help="Show tracebacks of errors.")
@click.pass_context
def group(ctx: click.Context, verbose: bool) -> None:
    """Turn decorated Python functions into AWS Lambda packages."""
    ctx.obj = {"verbose": verbose}


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line and exit with the code that `pyl.errors` documents."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:  # nohup keeps its meaning
            signal.signal(number, _stop)
    verbose = "--verbose" in (arguments or sys.argv[1:]) or "-v" in (arguments or sys.argv[1:])
    try:
        sys.exit(group.main(args=arguments, standalone_mode=False) or 0)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("pyl: interrupted; earlier packages are untouched", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except PylError as error:
        if verbose:
            raise
        click.echo(f"error: {error.message}", err=True)
        if error.hint:
            click.echo(f"  hint: {error.hint}", err=True)
        sys.exit(error.exit_code)


def _stop(number: int, _frame: FrameType | None) -> NoReturn:
    """End as Ctrl-C does: compilers are stopped and temporary folders removed on the way out."""
    sys.exit(128 + number)
