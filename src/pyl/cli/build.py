"""`pyl build`: make a package."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import click

from pyl.build.package import DIRECT_UPLOAD_LIMIT, Package
from pyl.cli.options import json_option, project_option
from pyl.cli.progress import ConsoleProgress
from pyl.errors import EngineError, UsageError
from pyl.project import load_project
from pyl.project.model import Project


@click.command()
@click.option("--native", is_flag=True, help="Compile with Nuitka into a package for provided.al2.")
@click.option(
    "--builder",
    type=click.Choice(["auto", "container", "local"]),
    default="auto",
    envvar="PYL_BUILDER",
    show_default=True,
    help="Where native packages are compiled.",
)
@click.option("--layer", is_flag=True, help="Put dependencies into a layer zip of their own (interpreted packages).")
@project_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="PYL_OUT",
    show_default="build/pyl in the project",
    help="Folder for the packages.",
)
@json_option
def command(native: bool, builder: str, layer: bool, directory: Path, out: Path | None, as_json: bool) -> None:
    """Make a package: one zip with all functions of the project.

    Without --native the zip is for a managed Python runtime. The earlier package is replaced only when the
    new one is complete.
    """
    if native and layer:
        msg = "--layer is for interpreted packages: a native package is loaded from its image, not from layers"
        raise UsageError(msg)
    project = load_project(directory, environ=os.environ)
    target = (out or project.root / "build" / "pyl").absolute()
    package = build_native(project, target, builder) if native else build_interpreted(project, target, layer=layer)
    if as_json:
        click.echo(json.dumps(package.to_json()))
    else:
        _print(package)


def build_interpreted(project: Project, out: Path, *, layer: bool = False) -> Package:
    """Make the interpreted package, showing progress."""
    from pyl.build import interpreted

    return interpreted.build(project, out, ConsoleProgress(), layer=layer)


def build_native(project: Project, out: Path, builder: str = "auto") -> Package:
    """Make the native package with `builder`, showing progress."""
    from pyl.build import native

    if builder == "container":
        msg = "the container builder is not part of this version"
        raise EngineError(msg, hint="use `--builder local` on Linux")
    if sys.platform != "linux":
        msg = "native packages are built on Linux"
        raise EngineError(msg, hint="run pyl in a Linux virtual machine or container")
    return native.build(project, out, ConsoleProgress())


def _print(package: Package) -> None:
    click.echo(f"{package.path}  {_size(package.bytes)} ({_size(package.unpacked_bytes)} unpacked)")
    if package.layer:
        click.echo(f"{package.layer}  {_size(package.layer.stat().st_size)}")
    if package.components:
        parts = ", ".join(f"{name} {_size(size)}" for name, size in package.components.items())
        click.echo(f"  {parts}")
    if package.glibc:
        file, version = max(package.glibc.items(), key=lambda item: [int(part) for part in item[1].split(".")])
        click.echo(f"  highest glibc needed: {version} ({file}); the package carries its own C library")
    if package.kind == "native":
        reasons = "; ".join(package.image.reasons)
        click.echo(f"  process image: {package.image.kind}" + (f" ({reasons})" if reasons else ""))
    click.echo(f"\nFunctions: {', '.join(package.functions)}")
    if package.bytes > DIRECT_UPLOAD_LIMIT:
        click.echo("The zip is over 50 MB: upload it to S3 and use --code S3Bucket=...,S3Key=... below.")
    if package.commands.publish_layer:
        click.echo(f"\nPublish the layer:\n  {package.commands.publish_layer}")
    click.echo(f"\nDeploy a function:\n  {package.commands.create}")
    click.echo(f"\nRedeploy it after a change:\n  {package.commands.update}")


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB"
