"""`pyl template`: generate a template for AWS SAM or a configuration for Terraform."""

from __future__ import annotations

import os
from pathlib import Path

import click

from pyl.cli.deploy import select_functions
from pyl.cli.options import complete_functions, project_option


@click.command()
@click.argument("tool", type=click.Choice(["sam", "terraform"]))
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=complete_functions)
@click.option("--native", is_flag=True, help="Use native packages, except for functions with a managed `runtime`.")
@click.option(
    "--package",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Use this zip file, made by `pyl build`.  [default: its usual path]",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write to this file. Paths of packages are relative to it.  [default: stdout, relative to this folder]",
)
@project_option
def command(
    tool: str, names: tuple[str, ...], native: bool, package: Path | None, out: Path | None, directory: Path
) -> None:
    """Generate a template for SAM or a configuration for Terraform, with functions, roles and triggers.

    Both use the same configuration as `pyl deploy`, and the packages that `pyl build` makes. Works offline.
    """
    from pyl.packaging.lifecycle import notice, today
    from pyl.project import load_project
    from pyl.templates import sam, terraform
    from pyl.templates.template_function import locate_template_functions

    project = load_project(directory, environ=os.environ)
    functions = locate_template_functions(
        project,
        select_functions(project, names),
        sam.PSEUDO_PARAMETERS if tool == "sam" else terraform.PSEUDO_PARAMETERS,
        kind="native" if native else "interpreted",
        package=package.absolute() if package else None,
        today=today(),
    )
    folder = (out.absolute().parent if out else Path.cwd()).resolve()
    if tool == "sam":
        content = sam.render(sam.build_template(project, functions, folder))
    else:
        content = terraform.render_configuration(project, functions, folder)
    for note in dict.fromkeys(filter(None, (notice(function.configured_runtime, today()) for function in functions))):
        click.echo(note, err=True)
    for missing in dict.fromkeys(function.package for function in functions if not function.package.exists()):
        command_line = "pyl build --native" if missing.name.startswith("native") else "pyl build"
        click.echo(f"{missing} does not exist yet: run `{command_line}`", err=True)
    if out:
        out.write_text(content, encoding="utf-8")
        click.echo(str(out))
    else:
        click.echo(content, nl=False)
