"""Builds the native package on this machine: compiled handlers, their program and its process image."""

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
    first_starts,
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
from pyl.packaging.locations import package_name
from pyl.packaging.package import FirstStart, ImageReport, Package, check_unpacked_size
from pyl.progress import Progress
from pyl.project import dependencies
from pyl.project.model import Project
from pyl.toolchain import nuitka

LOG = "native.log"
"""Name of the file with the output of compilers and engines, in the folder of the packages."""


def build(
    project: Project, out: Path, progress: Progress, *, site: Path | None = None, task: Path | None = None
) -> Package:
    """Write `out/native-<architecture>.zip` with the local builder, and the compilers' output to `out/native.log`.

    An existing package stays unchanged when the build fails.

    Args:
        project: The project to build.
        out: Folder to write to.
        progress: Receives steps, details and notes.
        site: Folder in which the project's dependencies are installed already.
        task: Empty folder of a container to assemble the package in. If it is `/var/task`, the process image can be
            taken in place. The container's host then starts the functions.

    Raises:
        EngineError: A part of the toolchain is missing.
        BuildError: A step of the build failed.
    """
    nuitka.require()
    architecture = project.configuration.architecture
    package = out / package_name("native", architecture)
    with staging.scratch(out) as scratch:
        log = out / LOG
        log.unlink(missing_ok=True)
        is_inside, task = task is not None, task or scratch / "task"
        glibc = _assemble(project, task, scratch, progress, log, installed=site)
        image = process_image.take(project, task, progress)
        with progress.step("Write package"):
            components = _components(task)
            _write_manifest(project, task, image)
            total = check_unpacked_size(components)
            finished = scratch / package.name
            archive.write(task, finished)
        starts: tuple[FirstStart, ...] = ()
        if not is_inside:
            image, starts = first_starts.check(project, finished, image, progress)
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
        starts=starts,
    )


def _assemble(
    project: Project, task: Path, scratch: Path, progress: Progress, log: Path, *, installed: Path | None
) -> dict[str, str]:
    """Fill `task` with everything except the image, and return the glibc version that each file needs."""
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
    """Add the C part of the runtime."""
    folder = site / "pyl" / "runtime"
    folder.mkdir(parents=True, exist_ok=True)
    native_runtime.build_extension(Path(sysconfig.get_path("include")), folder / native_runtime.NAME, architecture)


def _lay_out(project: Project, site: Path, task: Path, folder: Path) -> Path:
    """Copy the code to compile and its data files to `folder`, which is returned."""
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
    """Replace the modules in `sources` by compiled ones. Build the program meanwhile, and return its folder."""
    program_folders: list[Path] = []
    tasks: list[Callable[[], None]] = [lambda: program_folders.append(program.make(architecture, progress, log))]
    tasks += [
        functools.partial(compiled_modules.compile_in_place, source, site, architecture, progress, log)
        for source in compiled_modules.pieces(sources)
    ]
    parallel.all_of(tasks)
    return program_folders[0]


def _prune(project: Project, app: Path) -> None:
    """Remove unused modules of the standard library.

    Imports are read from sources: compiled modules contain the names of half of the library.
    """
    runtime = [source for source, _ in contents.runtime_files()]
    pruning.prune(app / "lib", [*(app / "site").rglob("*"), *project.files], runtime)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def _copy_data(source: Path, task: Path) -> None:
    """Copy data files to the task root, Lambda's working directory. They also stay beside their modules."""
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
    raise BuildError(msg, hint="use the name that you import (`yaml`, not `PyYAML`)")


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
