"""Find and read `pyproject.toml`, and place problems in it."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyl.project.config.toml_positions import KeyPath, Position, locate_keys
from pyl.project.diagnostics import Code, Diagnostic

FILE_NAME = "pyproject.toml"
TABLE: KeyPath = ("tool", "pyl")


@dataclass(frozen=True, kw_only=True)
class Document:
    """A `pyproject.toml` with a `[tool.pyl]` table."""

    file: Path
    content: Mapping[str, Any]
    positions: Mapping[KeyPath, Position]

    @property
    def table(self) -> Mapping[str, Any]:
        """`[tool.pyl]`."""
        table: Mapping[str, Any] = self.content["tool"]["pyl"]
        return table

    @property
    def project_name(self) -> str:
        """`[project] name`, else the folder's name."""
        project = self.content.get("project")
        name = project.get("name") if isinstance(project, dict) else None
        return name if isinstance(name, str) and name else self.file.parent.name

    def diagnostic(self, path: KeyPath, code: Code, message: str, hint: str) -> Diagnostic:
        """Return a diagnostic at a key, or at the nearest enclosing table that is in the file."""
        while path and path not in self.positions:
            path = path[:-1]
        position = self.positions.get(path, Position(1, 1, 1))
        return Diagnostic(
            code=code,
            message=message,
            hint=hint,
            file=self.file,
            line=position.line,
            column=position.column,
            width=position.width,
        )


def find_project(start: Path) -> Path:
    """Return the nearest folder with a `pyproject.toml`, from `start` upwards as uv looks for it; else `start`."""
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / FILE_NAME).is_file():
            return folder
    return start


def read_document(root: Path) -> Document | Diagnostic:
    """Read `pyproject.toml` in `root`, or return why it is not that of a pyl project."""
    file = root / FILE_NAME
    try:
        text = file.read_bytes().decode("utf-8")
    except FileNotFoundError:
        message = f"no {FILE_NAME} in {root}"
        return Diagnostic(code=Code.NO_PYPROJECT, message=message, hint=_TWO_LINES)
    except (OSError, UnicodeDecodeError) as error:
        hint = "save it as UTF-8" if isinstance(error, UnicodeDecodeError) else "make it a readable file"
        return Diagnostic(code=Code.INVALID_TOML, message=f"cannot read {FILE_NAME}: {error}", hint=hint, file=file)
    try:
        content = tomllib.loads(text)
        positions = locate_keys(text)
    except RecursionError:
        message = f"{FILE_NAME} nests too deeply"
        return Diagnostic(code=Code.INVALID_TOML, message=message, hint="flatten it", file=file, line=1, column=1)
    except ValueError as error:  # also what `int` raises for a number of thousands of digits
        return _toml_error(file, text, str(error))
    document = Document(file=file, content=content, positions=positions)
    tool = content.get("tool")
    table = tool.get("pyl") if isinstance(tool, dict) else None
    if table is None:
        return Diagnostic(code=Code.NO_TOOL_TABLE, message=f"no [tool.pyl] in {FILE_NAME}", hint=_TWO_LINES, file=file)
    if not isinstance(table, dict):
        return document.diagnostic(TABLE, Code.VALUE_TYPE, "`tool.pyl` must be a table", "write [tool.pyl]")
    return document


_TWO_LINES = """add these two lines to it:
[tool.pyl]
region = "us-east-1\""""


def _toml_error(file: Path, text: str, message: str) -> Diagnostic:
    place = re.search(r" \((?:at line (\d+), column (\d+)|at end of document)\)$", message)
    line, column = text.count("\n") + 1, 1
    if place is None:
        line = 1
    elif place[1]:
        line, column = int(place[1]), int(place[2])
    elif line > 1 and text.endswith("\n"):
        line -= 1
    reason = message[: place.start()] if place else message
    return Diagnostic(
        code=Code.INVALID_TOML,
        message=f"{FILE_NAME} is not TOML: {reason[:1].lower()}{reason[1:]}",
        hint="see https://toml.io/en/v1.0.0",
        file=file,
        line=line,
        column=column,
    )


def find_nearest(name: str, names: Iterable[str]) -> str | None:
    """Return the most similar name, or `None` if none is similar."""
    by_folded = {known.casefold(): known for known in names}
    matches = difflib.get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[matches[0]] if matches else None
