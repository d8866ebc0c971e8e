"""Builds the interpreted package: one zip for a managed Python runtime."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from pyl import lambda_environment
from pyl.architecture import Architecture
from pyl.packaging import archive, aws_services, bytecode, contents, missing_packages, staging
from pyl.packaging.commands import commands
from pyl.packaging.locations import package_name
from pyl.packaging.package import ImageReport, Package, check_unpacked_size
from pyl.progress import Progress
from pyl.project import dependencies
from pyl.project.model import Project

_OLDEST_GLIBC = {"3.10": "manylinux2014", "3.11": "manylinux2014"}
"""Wheel platforms by version of Python. Managed runtimes up to 3.11 run on Amazon Linux 2 (glibc 2.26), later ones on
Amazon Linux 2023 (glibc 2.34)."""


def build(project: Project, out: Path, progress: Progress, *, layer: bool = False) -> Package:
    """Write `out/interpreted.zip`. With `layer`, dependencies and pyl's runtime go to `out/layer.zip`.

    Raises:
        BuildError: A step of the build failed. Existing packages are unchanged.
    """
    architecture = project.configuration.architecture
    package = out / package_name("interpreted", architecture)
    layer_package = out / "layer.zip" if layer else None
    with staging.scratch(out) as scratch:
        task, shared = scratch / "task", scratch / "python" if layer else scratch / "task"
        task.mkdir()
        with progress.step("Install dependencies"):
            dependencies.install(project.root, shared, platform(architecture), scratch)
            missing_packages.check(project, shared, managed=True)
            aws_services.prune(project, shared)
            sizes = {"dependencies": archive.unpacked_size(shared)}
        with progress.step("Collect functions"):
            contents.copy_runtime(shared)
            contents.copy_user_files(project, task)
            contents.write_function_module(project, task, interpreted=True)
            bytecode.compile_tree(task, prefix=lambda_environment.TASK_ROOT, keep_sources=True)
            if layer:
                bytecode.compile_tree(shared, prefix=lambda_environment.PYTHON_LAYERS, keep_sources=True)
        with progress.step("Write package"):
            total = archive.unpacked_size(task) + (archive.unpacked_size(shared) if layer else 0)
            sizes["your code, pyl and bytecode"] = total - sizes["dependencies"]
            check_unpacked_size(sizes)
            finished = scratch / package.name
            archive.write(task, finished)
            if layer_package:
                folder = scratch / "layer"
                folder.mkdir()
                shutil.move(shared, folder / "python")
                archive.write(folder, scratch / "layer.zip")
                staging.publish(scratch / "layer.zip", layer_package)
            staging.publish(finished, package)
    return Package(
        path=package,
        kind="interpreted",
        architecture=architecture,
        runtime=runtime(),
        functions=tuple(function.name for function in project.functions),
        bytes=package.stat().st_size,
        unpacked_bytes=total,
        image=ImageReport(kind="none", reasons=("an interpreted package starts the interpreter",)),
        commands=commands(
            package,
            project.functions,
            runtime=runtime(),
            architecture=architecture,
            layer=layer_package,
            layer_name=f"{project.name}-dependencies",
            prefix=project.configuration.prefix,
        ),
        layer=layer_package,
        components=sizes,
    )


def python_version() -> str:
    """Return the minor version of the running Python, for which packages are built (such as `3.12`)."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def runtime() -> str:
    """Return Lambda's name of the managed runtime for which packages are built (such as `python3.12`)."""
    return f"python{python_version()}"


def platform(architecture: Architecture) -> dependencies.Platform:
    """Return the platform whose wheels work with the managed runtime."""
    glibc = _OLDEST_GLIBC.get(python_version(), "manylinux_2_28")
    return dependencies.Platform(python=python_version(), tag=architecture.wheel_platform(glibc))
