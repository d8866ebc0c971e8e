"""Makes the native package: compiled handlers, their program and its process image, for `provided.*`."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import json
import shutil
import stat
import sysconfig
from collections.abc import Callable
from pathlib import Path

from pyl import lambda_environment
from pyl.architecture import Architecture
from pyl.errors import BuildError
from pyl.image.file import names as image_files
from pyl.image.launcher.programs import build_launcher
from pyl.packaging import (
    archive,
    aws_services,
    bytecode,
    compiled_modules,
    contents,
    missing_packages,
    native_runtime,
    parallel,
    path_rewriting,
    process_image,
    program,
    pruning,
    shared_libraries,
    staging,
)
from pyl.packaging.commands import commands
from pyl.packaging.interpreted import python_version
from pyl.packaging.lifecycle import runtime_for, today
from pyl.packaging.package import ImageReport, Package, check_unpacked_size
from pyl.progress import Progress
from pyl.project import dependencies
from pyl.project.model import Project
from pyl.toolchain import nuitka

LOG = "native.log"
"""What compilers and engines said, beside the packages."""


def build(
    project: Project, out: Path, progress: Progress, *, site: Path | None = None, task: Path | None = None
) -> Package:
    """Write `out/native-<architecture>.zip` with the local builder.

    `site` is a folder that holds the project's dependencies already; `task` an empty folder to make the package in.
    At `/var/task` its image can be taken in place. Raises `EngineError` when this machine lacks what it takes,
    `BuildError` when a step fails; the package that was there is untouched then. The compilers' output is in
    `out/native.log`.
    """
    nuitka.require()
    architecture = project.configuration.architecture
    package = out / f"native-{architecture}.zip"
    with staging.scratch(out) as scratch:
        log = out / LOG
        log.unlink(missing_ok=True)
        task = task or scratch / "task"
        glibc = _assemble(project, task, scratch, progress, log, installed=site)
        image = process_image.take(project, task, progress)
        with progress.step("Write package"):
            components = _components(task)
            _write_manifest(project, task, image)
            total = check_unpacked_size(components)
            finished = scratch / package.name
            archive.write(task, finished)
            staging.publish(finished, package)
    return Package(
        path=package,
        kind="native",
        architecture=architecture,
        runtime=runtime_for(project.configuration.target, today()),
        functions=tuple(function.name for function in project.functions),
        bytes=package.stat().st_size,
        unpacked_bytes=total,
        image=image,
        commands=commands(
            package,
            project.functions,
            runtime=runtime_for(project.configuration.target, today()),
            architecture=architecture,
            prefix=project.configuration.prefix,
        ),
        components=components,
        glibc=glibc,
    )


def _assemble(
    project: Project, task: Path, scratch: Path, progress: Progress, log: Path, *, installed: Path | None
) -> dict[str, str]:
    """Fill `task` with everything but the image; returns the glibc versions that its files need."""
    architecture = project.configuration.architecture
    app = task / "pyl" / "app"
    site = app / "site"
    site.mkdir(parents=True)
    if installed:
        shutil.copytree(installed, site, dirs_exist_ok=True)
    else:
        with progress.step("Install dependencies"):
            platform = dependencies.Platform(python=python_version(), tag=None)
            dependencies.install(project.root, site, platform, scratch, log=log)
    missing_packages.check(project, site, managed=False)
    aws_services.prune(project, site)
    _check_compiled_packages(project, site)
    with progress.step("Compile"):
        compiled = _lay_out(project, site, task, scratch / "compiled")
        shutil.copytree(_compile(compiled, site, architecture, progress, log), app, dirs_exist_ok=True)
    with progress.step("Collect libraries"):
        _prune(project, app)
        for name in project.configuration.native.compile:
            _remove(_import_package(site, name))
        shutil.copytree(compiled, site, dirs_exist_ok=True)
        contents.write_function_module(project, site, interpreted=False)
        shared_libraries.collect(app, architecture)
        glibc = shared_libraries.check_versions(app)
        shared_libraries.strip(app)
        path_rewriting.rewrite(app)
        bytecode.compile_tree(site, prefix=f"{lambda_environment.APP}/site", keep_sources=False, legacy=True)
        build_launcher(task / "bootstrap", architecture)
        _build_runtime(site, architecture)
    return glibc


def _build_runtime(site: Path, architecture: Architecture) -> None:
    """Add the C part of the runtime, which every native package serves with."""
    folder = site / "pyl" / "runtime"
    folder.mkdir(parents=True, exist_ok=True)
    native_runtime.build_extension(Path(sysconfig.get_path("include")), folder / native_runtime.NAME, architecture)


def _lay_out(project: Project, site: Path, task: Path, folder: Path) -> Path:
    """Fill `folder` with what is to be compiled, and the data files beside it."""
    folder.mkdir()
    contents.copy_user_files(project, folder)
    _copy_data(folder, task)
    for name in project.configuration.native.compile:
        source = _import_package(site, name)
        if source.is_dir():
            shutil.copytree(source, folder / source.name)
        else:
            shutil.copy(source, folder / source.name)
    return folder


def _compile(sources: Path, site: Path, architecture: Architecture, progress: Progress, log: Path) -> Path:
    """Replace the modules in `sources` by compiled ones; returns the folder of the program, made meanwhile."""
    program_folders: list[Path] = []
    tasks: list[Callable[[], None]] = [lambda: program_folders.append(program.make(architecture, progress, log))]
    tasks += [
        functools.partial(compiled_modules.compile_in_place, source, site, architecture, progress, log)
        for source in compiled_modules.pieces(sources)
    ]
    parallel.all_of(tasks)
    return program_folders[0]


def _prune(project: Project, app: Path) -> None:
    """Judged by sources, which tell what they import: what Nuitka makes of them names half of the library."""
    runtime = [source for source, _ in contents.runtime_files()]
    pruning.prune(app / "lib", [*(app / "site").rglob("*"), *project.files], runtime)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def _copy_data(source: Path, task: Path) -> None:
    """Data files stand beside their modules, and at the task root too: the working directory in Lambda."""
    for file in sorted(source.rglob("*")):
        if file.is_file() and file.suffix != ".py":
            copy = task / file.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, copy)


def _check_compiled_packages(project: Project, site: Path) -> None:
    for name in project.configuration.native.compile:
        _import_package(site, name)


def _import_package(site: Path, name: str) -> Path:
    for candidate in (site / name, site / f"{name}.py"):
        if candidate.exists():
            return candidate
    msg = f"`compile` in [tool.pyl.native] names {name}, which none of the project's dependencies provides"
    raise BuildError(msg, hint="give the name as it is imported (`yaml`, not `PyYAML`)")


def _components(task: Path) -> dict[str, int]:
    app = task / "pyl" / "app"
    sizes = {
        "standard library": archive.unpacked_size(app / "lib"),
        "your code and dependencies": archive.unpacked_size(app / "site"),
        "program and shared libraries": sum(path.stat().st_size for path in app.iterdir() if path.is_file()),
    }
    if image := image_files.size(task):
        sizes["process image"] = image
    sizes["launcher and data"] = archive.unpacked_size(task) - sum(sizes.values())
    return sizes


def _write_manifest(project: Project, task: Path, image: ImageReport) -> None:
    def digest(path: Path) -> str:
        return hashlib.sha256(path.read_bytes()).hexdigest()

    manifest = {
        "schema": 1,
        "pyl": importlib.metadata.version("pyl"),
        "python": python_version(),
        "toolchain": nuitka.toolchain(),
        "architecture": project.configuration.architecture,
        "functions": contents.function_table(project.functions),
        "dependencies": list(dependencies.installed(task / "pyl" / "app" / "site")),
        "image": {"kind": image.kind, "reasons": list(image.reasons)},
        "sha256": {
            path.relative_to(task).as_posix(): digest(path)
            for path in sorted(task.rglob("*"))
            if path.is_file() and path.stat().st_mode & stat.S_IXUSR
        },
    }
    text = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False)
    (task / "pyl" / "manifest.json").write_text(text + "\n", encoding="utf-8")
