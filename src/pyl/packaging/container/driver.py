"""Makes the native package in a container: sources go in as an archive, the package comes out as one."""

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
from pyl.packaging import staging
from pyl.packaging.commands import commands
from pyl.packaging.container import protocol
from pyl.packaging.container.context import Recipe, image
from pyl.packaging.container.engine import Container, Ended, Engine, Settings
from pyl.packaging.container.failures import full, is_full
from pyl.packaging.container.protocol import Listener
from pyl.packaging.lifecycle import runtime_for, today
from pyl.packaging.native import LOG
from pyl.packaging.package import ImageReport, Package
from pyl.progress import Progress
from pyl.project import dependencies
from pyl.project.config.tables import BUILD_KEYS
from pyl.project.model import Project

CACHE = "/cache"
USER = 1000
"""Who builds in the container: nobody in particular, and not root."""

_KILLED = 137

_GLIBC = (17, 28, *range(31, 41))
"""Minor versions of glibc 2 whose wheels uv can choose."""


@dataclass(frozen=True, kw_only=True)
class _Facts:
    """What the builder's image says of itself."""

    python: str
    glibc: int

    @classmethod
    def of(cls, container: Container) -> _Facts:
        said = json.loads(container.read("/opt/pyl/facts.json"))
        return cls(python=said["python"], glibc=int(said["glibc"].split(".")[1]))

    def wheels(self, architecture: Architecture) -> dependencies.Platform:
        """What wheels the image's C library, which goes into the package, can load."""
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
    """Write `out/native-<architecture>.zip`; what it is made by is the same local builder, inside.

    Without `cached` everything is compiled anew. Raises `EngineError` when the engine cannot do its part,
    `BuildError` when a step fails; the package that was there is untouched then.
    """
    recipe = Recipe.of(project.configuration)
    package = out / f"native-{recipe.architecture}.zip"
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
            made = _run(container, engine, project, out, progress, timeout)
            container.fetch(f"{protocol.OUT}/{package.name}", scratch / package.name)
        staging.publish(scratch / package.name, package)
    return _package(project, package, made)


def _run(
    container: Container, engine: Engine, project: Project, out: Path, progress: Progress, timeout: float
) -> dict[str, Any]:
    """Run the build; returns what it says of the package."""
    errors: list[bytes] = []
    with (out / LOG).open("a", encoding="utf-8") as log:

        def keep(text: str) -> None:
            log.write(text)
            log.flush()

        def complain(content: bytes) -> None:
            errors.append(content)
            keep(content.decode("utf-8", "replace"))

        places = {protocol.PROJECT: str(project.root), protocol.OUT: str(out)}
        with Listener(progress, keep, places) as listener:
            ended = container.run(listener.receive, complain, timeout=timeout)
            if listener.error and not ended.out_of_memory:  # else it is but a consequence
                raise full("cannot build in the container") if is_full(listener.error.message) else listener.error
            if listener.package is None or ended.code:
                raise _failure(ended, b"".join(errors).decode("utf-8", "replace"), engine, out / LOG, timeout)
            return listener.package


def _failure(ended: Ended, said: str, engine: Engine, log: Path, timeout: float) -> PylError:
    if is_full(said):
        return full("cannot build in the container")
    if ended.out_of_time:
        msg = f"the build was stopped after {timeout:.0f} seconds"
        return BuildError(msg, hint="give it longer with `--timeout`")
    if ended.out_of_memory or ended.code == _KILLED:
        died = f"the build was killed (exit code {ended.code})" if ended.code == _KILLED else "a compiler was killed"
        what = "the engine ran out of memory" if ended.out_of_memory else "most often the engine ran out of memory"
        msg = f"{died}: {what}; it has {engine.memory() / 2**30:.1f} GiB in all"
        return BuildError(msg, hint="give the engine more, or compile fewer packages (`compile` in [tool.pyl.native])")
    told = "\n".join(f"  {line}" for line in said.strip().splitlines()[-15:])
    msg = f"the build in the container ended with exit code {ended.code}\n{told}".rstrip()
    return BuildError(msg, hint=f"all that it said is in {log}")


def _package(project: Project, path: Path, made: Mapping[str, Any]) -> Package:
    configuration = project.configuration
    return Package(
        path=path,
        kind="native",
        architecture=configuration.architecture,
        runtime=runtime_for(configuration.target, today()),
        functions=tuple(made["functions"]),
        bytes=path.stat().st_size,
        unpacked_bytes=made["unpacked_bytes"],
        image=ImageReport(kind=made["image"]["kind"], reasons=tuple(made["image"]["reasons"])),
        commands=commands(
            path,
            project.functions,
            runtime=runtime_for(configuration.target, today()),
            architecture=configuration.architecture,
            prefix=configuration.prefix,
        ),
        components=made["components"],
        glibc=made["glibc"],
    )


def _volume(project: Project, builder: str) -> str:
    """Where the container keeps what it compiled: one place for each project and toolchain."""
    return f"pyl-{cache.key(project.root, builder)}"


def _environment(project: Project, environ: Mapping[str, str]) -> dict[str, str]:
    """The configuration that does not stand in the project's files; nothing else of the environment goes in."""
    variables = (key.variable for key in BUILD_KEYS if key.variable)
    given = {name: environ[name] for name in variables if environ.get(name)}
    configuration = project.configuration
    resolved = {"PYL_ARCHITECTURE": configuration.architecture, "PYL_REGION": configuration.region or ""}
    return given | resolved


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
    """This very pyl: what it builds does not depend on where it runs."""
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
