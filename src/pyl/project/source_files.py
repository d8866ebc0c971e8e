"""List the files below `source` that belong in a package: all but known exceptions and what `[tool.pyl]` excludes.

The rules ignore git, so that a package is the same inside and outside of a checkout.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from pyl.project.config.pyproject import FILE_NAME

LEFT_OUT_ANYWHERE = (
    ".*",
    "__pycache__",
    "*.py[co]",
    "*.egg-info",
    "node_modules",
    "tests",
    "test_*.py",
    "conftest.py",
)
"""Names of files and folders that never belong in a package, at any depth."""

LEFT_OUT_AT_TOP = (
    "build",
    "dist",
    "venv",
    FILE_NAME,
    "uv.lock",
    "poetry.lock",
    "pdm.lock",
    "Pipfile*",
    "requirements*.txt",
    "setup.py",
    "setup.cfg",
    "ruff.toml",
    "tox.ini",
    "mypy.ini",
    "pytest.ini",
    "noxfile.py",
    "Makefile",
    "justfile",
    "Dockerfile*",
    "*compose*.y*ml",
    "*.md",
    "*.rst",
    "LICENSE*",
)
"""Names that do not belong in a package if they are in the project's own folder."""


def list_source_files(
    root: Path, source: Path, *, exclude: Sequence[str], include: Sequence[str], left_out: frozenset[Path]
) -> list[Path]:
    """Return the files of a package, ordered.

    Virtual environments (folders with `pyvenv.cfg`) and other projects (folders with a `pyproject.toml`) are left out.
    Links to folders are followed.

    Args:
        root: The folder of the project.
        source: The folder of the modules.
        exclude: Patterns of files to leave out.
        include: Patterns of files to list even if another rule leaves them out.
        left_out: Single files that configuration uses otherwise.
    """
    included, excluded = _Matcher(include), _Matcher(exclude)
    default = _Matcher((*LEFT_OUT_ANYWHERE, *(f"/{name}" for name in LEFT_OUT_AT_TOP)))

    def leave_out(path: Path) -> bool:
        by_default = path in left_out or default(path.relative_to(root).as_posix())
        return by_default or excluded(path.relative_to(source).as_posix())

    def is_foreign(folder: Path) -> bool:
        return is_file(folder / FILE_NAME) or is_file(folder / "pyvenv.cfg")

    def walk(folder: Path, inside: frozenset[str], is_packaged: bool) -> Iterator[Path]:
        for path in _entries(folder):
            keep = included(path.relative_to(source).as_posix())
            if is_folder(path):
                real = os.path.realpath(path)
                enter = keep or (is_packaged and not leave_out(path) and not is_foreign(path))
                if real not in inside and (enter or include):
                    yield from walk(path, inside | {real}, enter)
            elif is_file(path) and (keep or (is_packaged and not leave_out(path))):
                yield path

    return sorted(walk(source, frozenset({os.path.realpath(source)}), True))


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:  # a folder that may not be read holds nothing to package
        return []


def is_folder(path: Path) -> bool:
    """Return whether the path is a folder; false if it cannot be accessed, or if its name is not valid."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def is_file(path: Path) -> bool:
    """Return whether the path is a regular file; false if it cannot be accessed, or if its name is not valid."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


class _Matcher:
    """Tells whether a relative path, with forward slashes, or a folder above it matches one of the patterns.

    As in `.gitignore`: `*` and `?` stop at slashes, `**` does not; a pattern without a slash matches a name at
    any depth, and one that begins with a slash only at the top.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        self.pattern = re.compile("|".join(map(_expression, patterns)) or r"(?!)")

    def __call__(self, path: str) -> bool:
        return self.pattern.fullmatch(path) is not None


def _expression(pattern: str) -> str:
    anchored = "/" in pattern.rstrip("/")
    body = "".join(map(_part_expression, re.findall(r"\*\*/|\*+|\?|\[[^\]/]+\]|.", pattern.strip("/"), re.DOTALL)))
    return f"(?:{'' if anchored else '(?:.*/)?'}{body}(?:/.*)?)"


def _part_expression(part: str) -> str:
    if part == "**/":
        return "(?:.*/)?"
    if part.startswith("**"):
        return ".*"
    if part == "*":
        return "[^/]*"
    if part == "?":
        return "[^/]"
    if part.startswith("[") and len(part) > 1:
        return _set_expression(part[1:-1])
    return re.escape(part)


def _set_expression(body: str) -> str:
    """Return the regular expression of a set: `abc`, `a-z`, `!abc`. A range that runs backwards is no range."""
    negated = len(body) > 1 and body.startswith("!")
    members = re.findall(r"[^\W_]-[^\W_]|.", body[1:] if negated else body, re.DOTALL)
    parts = [member if len(member) == 3 and member[0] <= member[2] else re.escape(member) for member in members]
    return f"[{'^/' if negated else ''}{''.join(parts)}]"
