"""Install the packages that a project depends on, with uv, into a folder of the package."""

from __future__ import annotations

import re
import shutil
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pyl.errors import BuildError
from pyl.process import CommandFailed, run

RUNTIME_REQUIREMENTS = ("msgspec>=0.19",)
"""Imported by the part of pyl that runs in Lambda. Every package contains them."""

_NO_WHEEL = re.compile(
    r"(?:no (?:usable )?wheels?|has no wheels with a matching|no-build|Building source distributions)",
    re.IGNORECASE,
)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, kw_only=True)
class Platform:
    """The platform that wheels are chosen for."""

    python: str
    """Minor version: `3.11`."""
    tag: str | None
    """uv's `--python-platform` (`x86_64-manylinux2014`), or None for this host."""


def requirements(project: Path, scratch: Path) -> tuple[list[str], str]:
    """Return the arguments of uv that name the project's dependencies, and the file that lists them.

    `uv.lock` wins over `[project] dependencies` of `pyproject.toml`, which wins over `requirements.txt`.
    pyl itself is left out, with what only pyl needs: the build puts its runtime into the package.
    """
    listed = scratch / "requirements.txt"
    if (project / "uv.lock").is_file():
        text = _export_lock(project)
        source = "uv.lock"
    else:
        table = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8")).get("project", {})
        if "dependencies" in table or not (project / "requirements.txt").is_file():
            text, source = "\n".join(table.get("dependencies", [])), "pyproject.toml"
        else:
            text, source = (project / "requirements.txt").read_text(encoding="utf-8"), "requirements.txt"
    lines = [line for line in text.splitlines() if not _is_pyl(line)]
    listed.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return ["--requirements", str(listed)], source


def install(project: Path, target: Path, platform: Platform, scratch: Path, *, log: Path | None = None) -> None:
    """Install the project's dependencies, and those of the runtime, into `target`.

    Raises:
        BuildError: A package cannot be found, or has no wheel for the platform.
    """
    arguments, source = requirements(project, scratch)
    command: list[str | Path] = [
        uv(), "pip", "install", "--quiet", "--no-progress", "--target", target, "--link-mode", "copy",
        "--python-version", platform.python, *arguments, *RUNTIME_REQUIREMENTS,
    ]  # fmt: skip
    if platform.tag:
        command += ["--python-platform", platform.tag]
    try:
        run([*command, "--no-build"], cwd=project, log=log)
    except CommandFailed as first:
        if not _NO_WHEEL.search(first.output):
            raise _failure(first, source) from first
        shutil.rmtree(target, ignore_errors=True)
        try:
            run(command, cwd=project, log=log)
        except CommandFailed as second:
            raise _failure(second, source) from second
    _refuse_native_source_builds(target, source)
    _drop_scripts(target)


def uv() -> Path:
    """Return the path of the `uv` program in the wheel that pyl depends on."""
    from uv import find_uv_bin

    return Path(find_uv_bin())


def _export_lock(project: Path) -> str:
    try:
        return run(
            [uv(), "export", "--quiet", "--frozen", "--no-dev", "--no-editable", "--no-emit-project", "--no-header",
             "--no-annotate", "--no-hashes", "--prune", "pyl", "--project", project],
            cwd=project,
        )  # fmt: skip
    except CommandFailed as failure:
        msg = f"uv cannot read {project / 'uv.lock'}:\n{failure.output.strip()}"
        raise BuildError(msg, hint="run `uv lock` and try again") from failure


def _is_pyl(line: str) -> bool:
    match = _NAME.match(line.strip())
    return match is not None and match.group().lower() == "pyl"


def _failure(failure: CommandFailed, source: str) -> BuildError:
    msg = f"cannot install the dependencies named in {source}:\n{failure.output.strip()}"
    return BuildError(
        msg, hint="a package needs a wheel for the target, or pure Python sources; see uv's message above"
    )


def _refuse_native_source_builds(target: Path, source: str) -> None:
    """Raise an error if a source distribution was compiled: for this machine, it would not load in Lambda."""
    for wheel in sorted(target.glob("*.dist-info/WHEEL")):
        tags = [line.partition(":")[2].strip() for line in wheel.read_text().splitlines() if line.startswith("Tag:")]
        if any(tag.split("-")[-1].startswith("linux_") or "macosx" in tag for tag in tags):
            name = wheel.parent.name.removesuffix(".dist-info").replace("-", " ")
            msg = f"{name} (named in {source}, or needed by what is) has no wheel for the target"
            hint = "its source holds native code, which pyl does not compile: choose a version with manylinux wheels"
            raise BuildError(msg, hint=hint)


def _drop_scripts(target: Path) -> None:
    """Remove console scripts, which no function runs and which name this machine's Python, and files of uv's own."""
    shutil.rmtree(target / "bin", ignore_errors=True)
    for record in ("direct_url.json", "uv_cache.json"):  # where on this machine a package came from, and when
        for leftover in target.glob(f"*.dist-info/{record}"):
            leftover.unlink()
    for name in (".lock", "CACHEDIR.TAG", ".gitignore"):
        (target / name).unlink(missing_ok=True)


def installed(target: Path) -> Sequence[str]:
    """Return `name==version` of every distribution in `target`, ordered."""
    names = (folder.name.removesuffix(".dist-info").rpartition("-") for folder in target.glob("*.dist-info"))
    return sorted(f"{name}=={version}" for name, _, version in names)
