"""Check the files of sample events that configuration names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NoReturn

from pyl.project.config.checks import Problem
from pyl.project.diagnostics import Code, Diagnostic


def find_event_file_problem(file: Path) -> Problem | Diagnostic | None:
    """Return why a file cannot be an event: a problem of the key that names it, or a diagnostic in the file."""
    try:
        content = file.read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        message = f"cannot read event file {file.name}: {reason}"
        return Problem(Code.EVENT_FILE_MISSING, message, "name a JSON file, relative to pyproject.toml")
    try:
        json.loads(content.decode("utf-8"), parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        return _not_json(file, error.msg, error.lineno, error.colno)
    except UnicodeDecodeError as error:
        return _not_json(file, "it is not UTF-8", content.count(b"\n", 0, error.start) + 1, 1)
    except (ValueError, RecursionError) as error:
        return _not_json(file, str(error), 1, 1)
    return None


def _not_json(file: Path, reason: str, line: int, column: int) -> Diagnostic:
    return Diagnostic(
        code=Code.EVENT_FILE_NOT_JSON,
        message=f"event file is not JSON: {reason[:1].lower()}{reason[1:]}",
        hint="an event is one JSON value in UTF-8",
        file=file,
        line=line,
        column=column,
    )


def _refuse_constant(name: str) -> NoReturn:
    msg = f"JSON has no {name}"
    raise ValueError(msg)
