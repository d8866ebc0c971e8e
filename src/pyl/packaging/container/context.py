"""The image that native packages are built in: what determines it, and how it is built."""

from __future__ import annotations

import os
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pyl import cache
from pyl.architecture import Architecture
from pyl.errors import EngineError
from pyl.packaging.container import pins
from pyl.packaging.container.engine import Engine
from pyl.packaging.container.failures import no_processor
from pyl.packaging.interpreted import python_version
from pyl.process import CommandFailed, run
from pyl.progress import Progress
from pyl.project import dependencies
from pyl.project.config.model import Configuration

_PYTHON_LINE = b"#!/opt/pyl/venv/bin/python"
"""First line for scripts of the tools, instead of the host's Python, which uv writes."""

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY")
"""Build arguments that every engine accepts, and does not store in images."""

_MIRRORS = ("UV_PYTHON_INSTALL_MIRROR", "UV_PYTHON_DOWNLOADS_JSON_URL")

_CERTIFICATES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that determines the image."""

    base_image: str
    base_python: str
    """Path of an interpreter in the base image; empty for the one of python-build-standalone."""
    python_release: str
    architecture: Architecture

    @classmethod
    def of(cls, configuration: Configuration) -> Recipe:
        """Return the recipe for a project and for the version of Python that runs pyl."""
        native = configuration.native
        return cls(
            base_image=native.base_image or pins.base_image(configuration.target),
            base_python=native.base_python or "",
            python_release="" if native.base_python else pins.python_release(python_version()),
            architecture=configuration.architecture,
        )

    @property
    def platform(self) -> str:
        """The platform in the engine's terms, such as `linux/amd64`."""
        return self.architecture.container_platform

    def key(self, base: str) -> str:
        """Return the cache key of the image, given the identity of the base image."""
        inputs = [path.read_bytes() for path in (pins.dockerfile(), pins.tools())]
        python = self.base_python, self.python_release, python_version()
        return cache.key("builder", *inputs, base, *python, self.architecture)

    def arguments(self, base: str) -> dict[str, str]:
        """Return the arguments of the Dockerfile, given the name of the base image."""
        return {"BASE_IMAGE": base, "PYTHON": self.base_python, "PYTHON_VERSION": self.python_release}


def image(engine: Engine, recipe: Recipe, progress: Progress, *, log: Path, environ: Mapping[str, str]) -> str:
    """Return the name of the builder's image in the engine, and build the image if it does not exist yet.

    Args:
        engine: The engine that builds and stores the image.
        recipe: What determines the image.
        progress: Receives steps and details.
        log: File to which the engine's output is appended.
        environ: Environment variables; proxies, mirrors and certificates are taken from them.

    Raises:
        EngineError: The image cannot be built.
    """

    def record(line: str) -> None:
        with log.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
        if line.strip():
            progress.detail(line.strip())

    base = engine.image(recipe.base_image, recipe.platform)
    if base is None:
        with progress.step("Pull the base image"):
            engine.pull(recipe.base_image, recipe.platform, record)
            base = engine.image(recipe.base_image, recipe.platform)
        if base is None:
            msg = f"the base image {recipe.base_image} is not available for {recipe.platform}"
            raise EngineError(msg, hint="choose another `base_image` in [tool.pyl.native]")
    record(f"base image {recipe.base_image} is {base}")
    name = f"pyl-builder:{recipe.key(base)}"
    if engine.image(name, recipe.platform) is None:
        if not engine.runs(recipe.base_image, recipe.platform):
            raise no_processor(recipe.platform)
        with progress.step("Build the builder's image"), tempfile.TemporaryFile() as archive:
            progress.detail("tools")
            _write_context(archive, recipe, environ, log=log)
            archive.seek(0)
            engine.build_image(
                archive,
                name,
                dockerfile=pins.dockerfile().name,
                arguments={**recipe.arguments(recipe.base_image), **_of_this_host(environ)},
                platform=recipe.platform,
                on_line=record,
            )
    return name


def _write_context(archive: IO[bytes], recipe: Recipe, environ: Mapping[str, str], *, log: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="pyl-tools-") as folder, tarfile.open(fileobj=archive, mode="w") as tar:
        _install_tools(Path(folder), recipe.architecture, log)
        tar.add(pins.dockerfile(), pins.dockerfile().name, filter=_neutral)
        tar.add(folder, "tools", filter=_neutral)
        certificates = tarfile.TarInfo("certificates.pem")
        with _certificates(environ).open("rb") as file:
            certificates.size = os.fstat(file.fileno()).st_size
            tar.addfile(certificates, file)


def _install_tools(folder: Path, architecture: Architecture, log: Path) -> None:
    """Install the pinned tools for the image's platform into `folder`.

    uv runs on this host, and so uses its proxies, package indexes and certificates.
    """
    command: list[str | Path] = [
        dependencies.uv(), "pip", "install", "--quiet", "--no-progress", "--target", folder,
        "--python-platform", architecture.wheel_platform("manylinux2014"),
        "--python-version", python_version(), "--no-deps",
        "--require-hashes", "--requirements", pins.tools(),
    ]  # fmt: skip
    try:
        run(command, cwd=folder, log=log)
    except CommandFailed as failure:
        msg = f"cannot install the builder's tools:\n{failure.output.strip()}"
        raise EngineError(msg, hint="see uv's message above, and check uv's settings (indexes, proxies)") from failure
    for script in (folder / "bin").iterdir():
        content = script.read_bytes()
        if content.startswith(b"#!") and b"python" in content.partition(b"\n")[0]:
            script.write_bytes(_PYTHON_LINE + content[content.index(b"\n") :])


def _neutral(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if member.name.endswith("__pycache__"):
        return None
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = 0
    member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
    return member


def _certificates(environ: Mapping[str, str]) -> Path:
    named = (Path(environ[name]) for name in _CERTIFICATES if environ.get(name))
    return next((path for path in named if path.is_file()), Path(os.devnull))


def _of_this_host(environ: Mapping[str, str]) -> dict[str, str]:
    """Return build arguments with the host's proxies and mirrors. The image's last stage does not use them."""
    proxies = {name: environ[name] for proxy in _PROXIES for name in (proxy, proxy.lower()) if environ.get(name)}
    return proxies | {name: environ[name] for name in _MIRRORS if environ.get(name)}
