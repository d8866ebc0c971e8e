"""`pyl new`: create a project."""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from pyl.cli.options import json_option
from pyl.errors import UsageError
from pyl.project.config.region import default_region
from pyl.scaffold import project as scaffold
from pyl.scaffold.catalog import DEFAULT, TEMPLATES, Template
from pyl.scaffold.project import ProjectRequest


def _complete_triggers(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    matches = (template for template in TEMPLATES.values() if template.name.startswith(incomplete))
    return [CompletionItem(template.name, help=template.title) for template in matches]


@click.command(epilog="\b\nTriggers:\n" + "\n".join(f"  {t.name:13}{t.title}" for t in TEMPLATES.values()))
@click.argument("folder", metavar="NAME", required=False, type=click.Path(path_type=Path, file_okay=False))
@click.option("--trigger", type=click.Choice(list(TEMPLATES)), metavar="TRIGGER", shell_complete=_complete_triggers,
              help="What invokes the function.  [default: direct]")  # fmt: skip
@click.option("--function", metavar="NAME", help="Name of the function.  [default: the project's]")
@click.option("--region", metavar="REGION", help="AWS region.  [default: that of your AWS profile, else us-east-1]")
@click.option("--yes", "-y", is_flag=True, help="Use the defaults without asking.")
@json_option
def command(
    folder: Path | None, trigger: str | None, function: str | None, region: str | None, yes: bool, as_json: bool
) -> None:
    """Create a project in the folder NAME: a function, its test, a sample event and [tool.pyl].

    On a terminal, pyl asks for what the options do not set.
    """
    ask = sys.stdin.isatty() and sys.stderr.isatty() and not yes
    if folder is None:
        folder = Path(_ask_name(ask))
    folder = folder.absolute()
    scaffold.check_project_name(folder.name)
    template = TEMPLATES[trigger] if trigger else _ask_template(ask)
    request = ProjectRequest(
        folder=folder,
        template=template,
        function=function or _ask_function(folder.name, template, ask),
        region=region or default_region(os.environ) or "us-east-1",
    )
    written = scaffold.write(request)
    if as_json:
        _print_json(request, written)
    else:
        _print(request, written)


def _ask_name(ask: bool) -> str:
    if not ask:
        msg = "the new project needs a name"
        raise UsageError(msg, hint="for instance `pyl new orders`")
    return str(click.prompt("Name of the project", err=True))


def _ask_template(ask: bool) -> Template:
    if not ask:
        return TEMPLATES[DEFAULT]
    click.echo("A function for", err=True)
    for template in TEMPLATES.values():
        click.echo(f"  {click.style(f'{template.name:13}', bold=True)}{template.title}", err=True)
    kind = click.Choice(list(TEMPLATES), case_sensitive=False)
    return TEMPLATES[click.prompt("Trigger", default=DEFAULT, type=kind, show_choices=False, err=True)]


def _ask_function(project: str, template: Template, ask: bool) -> str:
    default = scaffold.default_function(project, template)

    def checked(name: str) -> str:
        try:
            scaffold.check_function_name(name, template)
        except UsageError as error:
            raise click.BadParameter(f"{error.message}: {error.hint}") from None  # noqa: EM102 - shown, then asked again
        return name

    return str(click.prompt("Name of the function", default=default, value_proc=checked, err=True)) if ask else default


def _print_json(request: ProjectRequest, written: list[Path]) -> None:
    facts = {
        "project": str(request.folder),
        "name": request.name,
        "function": request.function,
        "trigger": request.template.name,
        "region": request.region,
        "files": [str(path.relative_to(request.folder)) for path in written],
    }
    click.echo(json.dumps(facts))


def _print(request: ProjectRequest, written: list[Path]) -> None:
    click.echo(f"{request.folder}: {request.function}, a function for {request.template.title}")
    for path in written:
        click.echo(f"  {path.relative_to(request.folder)}")
    folder = os.path.relpath(request.folder)
    click.echo(f"""
Next:
  cd {shlex.quote(folder)}
  pyl check
  python -m pytest
  pyl build && pyl invoke {request.function} --example event""")
