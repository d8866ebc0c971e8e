"""Builds a native package in a container: copies the sources in, runs the local builder, copies the package out."""

from __future__ import annotations

import importlib.metadata
import io
import json
import tarfile
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyl
from pyl import cache
from pyl.architecture import Architecture
from pyl.errors import BuildError, PylError
from pyl.packaging import first_starts, staging
from pyl.packaging.commands import commands
from pyl.packaging.container import protocol
from pyl.packaging.container.context import Recipe, image
from pyl.packaging.container.engine import Container, Ended, Engine, Settings
from pyl.packaging.container.failures import full, is_full
from pyl.packaging.container.protocol import Listener
from pyl.packaging.lifecycle import runtime_for, today
from pyl.packaging.locations import package_name
from pyl.packaging.native import LOG
from pyl.packaging.package import FirstStart, ImageReport, Package
from pyl.progress import Progress
from pyl.project import dependencies
from pyl.project.config.tables import BUILD_KEYS
from pyl.project.model import Project

CACHE = "/cache"
USER = 1000
"""User that builds in the container; not root."""

_KILLED = 137

_GLIBC = (17, 28, *range(31, 41))
"""Minor versions of glibc 2 for which uv can choose wheels."""


@dataclass(frozen=True, kw_only=True)
class _Facts:
    """Facts about the builder's image, from its file `/opt/pyl/facts.json`."""

    python: str
    glibc: int

    @classmethod
    def of(cls, container: Container) -> _Facts:
        facts = json.loads(container.read("/opt/pyl/facts.json"))
        return cls(python=facts["python"], glibc=int(facts["glibc"].split(".")[1]))

    def wheels(self, architecture: Architecture) -> dependencies.Platform:
        """Return the platform whose wheels work with the image's C library, which becomes part of the package."""
        newest = max(version for version in _GLIBC if version <= self.glibc)
        return dependencies.Platform(python=self.python, tag=architecture.wheel_platform(f"manylinux_2_{newest}"))


def build(
    project: Project,
    out: Path,
    progress: Progress,
    engine: Engine,
    *,
    environ: Mapping[str, str],
    cached: bool,
    timeout: float,
) -> Package:
    """Write `out/native-<architecture>.zip` with the local builder, in a container.

    An existing package stays untouched when the build fails.

    Args:
        project: The project to build.
        out: Folder to write to.
        progress: Receives steps, details and notes.
        engine: The container engine to use.
        environ: Environment variables; configuration, proxies and mirrors are taken from them.
        cached: Use compiled modules of earlier builds.
        timeout: Seconds that the build in the container may take.

    Raises:
        EngineError: The engine failed.
        BuildError: A step of the build failed.
    """
    recipe = Recipe.of(project.configuration)
    package = out / package_name("native", recipe.architecture)
    log = out / LOG
    with staging.scratch(out) as scratch:
        log.unlink(missing_ok=True)
        builder = image(engine, recipe, progress, log=log, environ=environ)
        volumes = {_volume(project, builder): CACHE} if cached else {}
        settings = Settings(image=builder, platform=recipe.platform, volumes=volumes)
        with engine.container(settings) as container:
            with progress.step("Install dependencies"):
                wheels = _Facts.of(container).wheels(recipe.architecture)
                dependencies.install(project.root, scratch / "site", wheels, scratch, log=log)
            _fill(container, project, scratch / "site", _environment(project, environ))
            result = _run(container, engine, project, out, progress, timeout)
            container.fetch(f"{protocol.OUT}/{package.name}", scratch / package.name)
        captured = ImageReport(kind=result["image"]["kind"], reasons=tuple(result["image"]["reasons"]))
        seen, starts = first_starts.check(project, scratch / package.name, captured, progress)
        staging.publish(scratch / package.name, package)
    return _package(project, package, result, seen, starts)


def _run(
    container: Container, engine: Engine, project: Project, out: Path, progress: Progress, timeout: float
) -> dict[str, Any]:
    """Run the build, and return its description of the package."""
    errors: list[bytes] = []
    with (out / LOG).open("a", encoding="utf-8") as log:

        def append_to_log(text: str) -> None:
            log.write(text)
            log.flush()

        def record_error(content: bytes) -> None:
            errors.append(content)
            append_to_log(content.decode("utf-8", "replace"))

        folders = {protocol.PROJECT: str(project.root), protocol.OUT: str(out)}
        with Listener(progress, append_to_log, folders) as listener:
            ended = container.run(listener.receive, record_error, timeout=timeout)
            if listener.error and not ended.out_of_memory:  # otherwise the error is a consequence
                raise full("cannot build in the container") if is_full(listener.error.message) else listener.error
            if listener.package is None or ended.code:
                raise _failure(ended, b"".join(errors).decode("utf-8", "replace"), engine, out / LOG, timeout)
            return listener.package


def _failure(ended: Ended, output: str, engine: Engine, log: Path, timeout: float) -> PylError:
    if is_full(output):
        return full("cannot build in the container")
    if ended.out_of_time:
        msg = f"the build was stopped after {timeout:.0f} seconds"
        return BuildError(msg, hint="allow more time with `--timeout`")
    if ended.out_of_memory or ended.code == _KILLED:
        died = f"the build was killed (exit code {ended.code})" if ended.code == _KILLED else "a compiler was killed"
        what = "the engine ran out of memory" if ended.out_of_memory else "the engine probably ran out of memory"
        msg = f"{died}: {what}; it has {engine.memory() / 2**30:.1f} GiB in total"
        hint = "give the engine more memory, or compile fewer packages (`compile` in [tool.pyl.native])"
        return BuildError(msg, hint=hint)
    excerpt = "\n".join(f"  {line}" for line in output.strip().splitlines()[-15:])
    msg = f"the build in the container ended with exit code {ended.code}\n{excerpt}".rstrip()
    return BuildError(msg, hint=f"its complete output is in {log}")


def _package(
    project: Project, path: Path, result: Mapping[str, Any], seen: ImageReport, starts: tuple[FirstStart, ...]
) -> Package:
    configuration = project.configuration
    return Package(
        path=path,
        kind="native",
        architecture=configuration.architecture,
        runtime=runtime_for(configuration.target, today()),
        functions=tuple(result["functions"]),
        bytes=path.stat().st_size,
        unpacked_bytes=result["unpacked_bytes"],
        image=seen,
        starts=starts,
        commands=commands(
            path,
            project.functions,
            runtime=runtime_for(configuration.target, today()),
            architecture=configuration.architecture,
            prefix=configuration.prefix,
        ),
        components=result["components"],
        glibc=result["glibc"],
    )


def _volume(project: Project, builder: str) -> str:
    """Return the name of the volume for compiled modules: one for each project and builder's image."""
    return f"pyl-{cache.key(project.root, builder)}"


def _environment(project: Project, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables that configure the build. The container gets no others."""
    variables = (key.variable for key in BUILD_KEYS if key.variable)
    configured = {name: environ[name] for name in variables if environ.get(name)}
    configuration = project.configuration
    resolved = {"PYL_ARCHITECTURE": configuration.architecture, "PYL_REGION": configuration.region or ""}
    return configured | resolved


def _fill(container: Container, project: Project, site: Path, environment: Mapping[str, str]) -> None:
    """Put pyl, the project, its dependencies and the request into the container."""
    with tempfile.TemporaryFile() as archive:
        with tarfile.open(fileobj=archive, mode="w") as tar:
            request = {"environment": dict(environment), "functions": [f.name for f in project.functions]}
            _add_bytes(tar, json.dumps(request).encode(), protocol.REQUEST)
            _add_folder(tar, protocol.OUT)
            for file in _project_files(project):
                _add(tar, file, f"{protocol.PROJECT}/{file.relative_to(project.root).as_posix()}")
            _add(tar, site, protocol.SITE)
            _add_pyl(tar)
        archive.seek(0)
        container.put(archive, "/")


def _project_files(project: Project) -> Iterable[Path]:
    yield project.root / "pyproject.toml"
    named = {
        path
        for function in (*project.configuration.functions.values(), *(f.configuration for f in project.functions))
        for path in (function.event, function.warm_up)
        if path
    }
    yield from sorted({*project.files, *named})


def _add_pyl(tar: tarfile.TarFile) -> None:
    """Add the pyl that is running, so that container and local builds use the same version."""
    package = Path(pyl.__file__).parent
    _add(tar, package, "/build/pyl/pyl")
    version = importlib.metadata.version("pyl")
    metadata = f"Metadata-Version: 2.1\nName: pyl\nVersion: {version}\n".encode()
    _add_bytes(tar, metadata, f"/build/pyl/pyl-{version}.dist-info/METADATA")


def _add(tar: tarfile.TarFile, path: Path, name: str) -> None:
    tar.add(path.resolve(), name.lstrip("/"), filter=_owned)


def _add_bytes(tar: tarfile.TarFile, content: bytes, name: str) -> None:
    member = tarfile.TarInfo(name.lstrip("/"))
    member.size, member.mode = len(content), 0o644
    tar.addfile(_as_user(member), io.BytesIO(content))


def _add_folder(tar: tarfile.TarFile, name: str) -> None:
    member = tarfile.TarInfo(name.lstrip("/"))
    member.type, member.mode = tarfile.DIRTYPE, 0o755
    tar.addfile(_as_user(member))


def _owned(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if member.name.endswith("__pycache__") else _as_user(member)


def _as_user(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = USER
    member.uname = member.gname = ""
    member.mtime = 0
    member.mode |= 0o700 if member.isdir() else 0o600
    return member
