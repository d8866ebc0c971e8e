"""`pyl completion`: print a script for shells that completes commands, options and names of functions."""

from __future__ import annotations

import os
from pathlib import PurePath

import click
from click.shell_completion import get_completion_class

from pyl.errors import UsageError

SHELLS = ("bash", "zsh", "fish")


@click.command(
    epilog="""\b
bash   add to ~/.bashrc:                    eval "$(pyl completion bash)"
zsh    add to ~/.zshrc, after compinit:     eval "$(pyl completion zsh)"
fish   run once:   pyl completion fish > ~/.config/fish/completions/pyl.fish"""
)
@click.argument("shell", type=click.Choice(SHELLS), required=False)
@click.pass_context
def command(ctx: click.Context, shell: str | None) -> None:
    """Print the completion script for SHELL, by default your login shell."""
    shell = shell or _login_shell()
    completion = get_completion_class(shell)
    assert completion is not None  # noqa: S101 - click has all of SHELLS
    group = ctx.find_root().command
    click.echo(completion(group, {}, "pyl", "_PYL_COMPLETE").source())


def _login_shell() -> str:
    name = PurePath(os.environ.get("SHELL", "")).name
    if name in SHELLS:
        return name
    msg = f"there is no completion for the shell {name!r}" if name else "cannot detect your shell: SHELL is not set"
    raise UsageError(msg, hint=f"name one: {', '.join(f'`pyl completion {shell}`' for shell in SHELLS)}")
