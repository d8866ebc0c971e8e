"""The `pyl` command group, and the conversion of errors to messages and exit codes."""

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
    "build": "Build a package, interpreted or native.",
    "cache": "Show or remove the cache of builds.",
    "check": "Check signatures and configuration, without importing the code.",
    "completion": "Print a completion script for your shell.",
    "delete": "Delete what pyl has created in AWS.",
    "deploy": "Create or update the functions in AWS.",
    "doctor": "Check what pyl needs on this machine and in AWS, and explain how to fix it.",
    "events": "List and print sample events.",
    "image": "Show a native package's process image and its guards.",
    "invoke": "Invoke a function from source, from a package, or in AWS.",
    "list": "List what the project has deployed to AWS.",
    "logs": "Print what a function logged in AWS.",
    "new": "Create a project with a function, a test and a sample event.",
    "rollback": "Roll back functions to an earlier version.",
    "template": "Print a SAM or Terraform template of the project.",
    "watch": "Serve all functions locally, as Lambda would, and reload on save.",
}
"""One-line help of each command. It is here so that `pyl --help` imports no command."""


class LazyGroup(click.Group):
    """A group that imports a command, `pyl.cli.<name>.command`, when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names of all commands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a command and return it; None if there is no such command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"pyl.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands, from `COMMANDS` alone."""
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
        if signal.getsignal(number) is signal.SIG_DFL:  # under nohup, SIGHUP stays ignored
            signal.signal(number, _stop)
    verbose = "--verbose" in (arguments or sys.argv[1:]) or "-v" in (arguments or sys.argv[1:])
    try:
        sys.exit(group.main(args=arguments, standalone_mode=False) or 0)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("pyl: interrupted; earlier packages are unchanged", err=True)
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
    """Exit by an exception, as Ctrl-C does, so that compilers are stopped and temporary folders removed."""
    sys.exit(128 + number)
