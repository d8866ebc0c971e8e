"""`pyl build`: build a package."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import click

from pyl.architecture import Architecture
from pyl.cli.options import json_option, project_option
from pyl.cli.progress import ConsoleProgress
from pyl.errors import UsageError
from pyl.packaging import lifecycle
from pyl.packaging.locations import package_folder
from pyl.packaging.package import FirstStart, Package
from pyl.project import load_project
from pyl.project.config.model import Builder
from pyl.project.model import Project


@click.command()
@click.option("--native", is_flag=True, help="Build a native package for provided.al2, compiled with Nuitka.")
@click.option(
    "--builder",
    type=click.Choice(["auto", "container", "local"]),
    show_default="auto: a container if an engine is running, else this machine",
    help="Where to compile native packages.",
)
@click.option(
    "--arch",
    "architecture",
    type=click.Choice([str(name) for name in Architecture]),
    show_default=f"as configured, else {Architecture.X86_64}",
    help="Processor architecture of the functions.",
)
@click.option("--no-cache", "cached", flag_value=False, default=True, help="Compile everything anew (native packages).")
@click.option(
    "--timeout",
    type=click.FloatRange(min=1),
    default=3600,
    show_default=True,
    help="Time limit of a build in a container, in seconds.",
)
@click.option("--layer", is_flag=True, help="Put dependencies into a separate layer zip (interpreted packages).")
@project_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="PYL_OUT",
    show_default="build/pyl in the project",
    help="Folder for the packages.",
)
@json_option
def command(
    native: bool,
    builder: Builder | None,
    architecture: str | None,
    cached: bool,
    timeout: float,
    layer: bool,
    directory: Path,
    out: Path | None,
    as_json: bool,
) -> None:
    """Build a package: one zip with all functions of the project.

    Without --native, the zip is for a managed Python runtime. An earlier package is replaced only when the new one is
    complete.
    """
    if native and layer:
        msg = "--layer is for interpreted packages: a native package is loaded from its image, not from layers"
        raise UsageError(msg)
    overrides = {"native.builder": builder, "architecture": architecture}
    project = load_project(directory, environ=os.environ, overrides=overrides)
    target = (out or package_folder(project)).absolute()
    if native:
        package = build_native(project, target, cached=cached, timeout=timeout)
    else:
        package = build_interpreted(project, target, layer=layer)
    _note_runtime(project, package)
    if as_json:
        click.echo(json.dumps(package.to_json()))
    else:
        _print(package)


def build_interpreted(project: Project, out: Path, *, layer: bool = False) -> Package:
    """Build the interpreted package and show progress.

    Args:
        project: The project.
        out: Folder for the package.
        layer: Put dependencies into a separate layer zip.

    Raises:
        BuildError: The package could not be built.
    """
    from pyl.packaging import interpreted

    return interpreted.build(project, out, ConsoleProgress(), layer=layer)


def build_native(project: Project, out: Path, *, cached: bool = True, timeout: float | None = None) -> Package:
    """Build the native package with the configured builder and show progress.

    Args:
        project: The project.
        out: Folder for the package.
        cached: Use what earlier builds have compiled.
        timeout: Time limit of a build in a container, in seconds.

    Raises:
        BuildError: The package could not be built.
        EngineError: The container engine or this machine lacks something.
    """
    from pyl.packaging import builders

    return builders.build(project, out, ConsoleProgress(), cached=cached, timeout=timeout or builders.TIMEOUT)


def _note_runtime(project: Project, package: Package) -> None:
    """Warn if AWS no longer supports the runtime, or does not offer it."""
    target = project.configuration.target if package.kind == "native" else package.runtime
    text = lifecycle.notice(target, lifecycle.today())
    if text:
        ConsoleProgress().note(text)


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
    if package.starts:
        click.echo("\nFunctions, as each started from the finished package:")
        for line in _lines(package.starts):
            click.echo(f"  {line}")
    else:
        click.echo(f"\nFunctions: {', '.join(package.functions)}")
    if package.commands.upload:
        click.echo(f"\nThe zip is over 50 MB, so Lambda takes it only from S3. Upload it:\n  {package.commands.upload}")
    if package.commands.publish_layer:
        click.echo(f"\nPublish the layer:\n  {package.commands.publish_layer}")
    click.echo(f"\nDeploy a function:\n  {package.commands.create}")
    click.echo(f"\nUpdate it after a change:\n  {package.commands.update}")
    for name, create in package.commands.functions.items():
        click.echo(f"\nDeploy {name} as configured:\n  {create}")


def _lines(starts: tuple[FirstStart, ...]) -> Iterator[str]:
    """Yield one line for each function: its cold start, from what image, and why not a full one."""
    width = max(len(start.function) for start in starts)
    for start in starts:
        time = f"{start.milliseconds:7.1f} ms" if start.milliseconds is not None else "    failed"
        image = {"full": "full image", "base": "base image", "none": "no image"}.get(start.image, "")
        reasons = "; ".join(start.reasons)
        yield f"{start.function:{width}}  {time}  {': '.join(part for part in (image, reasons) if part)}".rstrip()


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB"
