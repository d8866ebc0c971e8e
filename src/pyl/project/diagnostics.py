"""Diagnostics of a project: their codes, their data, and how a terminal shows them.

PYL1xx  signatures: what a decorated function takes and returns
PYL2xx  names: of functions and of modules
PYL3xx  configuration: `pyproject.toml`, `PYL_*` variables, options
PYL4xx  the project's files

The meaning of a code never changes: scripts of users refer to it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pyl.errors import ConfigurationError


class Code(StrEnum):
    """The code of each kind of problem. `docs/diagnostics.md` explains them."""

    PARAMETER_COUNT = "PYL101"
    NO_CONTEXT = "PYL102"
    TWO_CONTEXTS = "PYL103"
    DEFAULT_VALUE = "PYL104"
    PARAMETER_KIND = "PYL105"
    EVENT_ANNOTATION = "PYL106"
    UNKNOWN_PYL_NAME = "PYL107"
    RETURN_ANNOTATION = "PYL108"
    UNDEFINED_ANNOTATION = "PYL109"
    TYPE_CHECKING_ONLY = "PYL110"
    DECORATED_METHOD = "PYL111"
    NESTED_FUNCTION = "PYL112"
    DECORATED_CLASS = "PYL113"
    STREAMED_VALUE = "PYL114"
    DECORATOR_ARGUMENTS = "PYL115"

    DUPLICATE_FUNCTION = "PYL201"
    FUNCTION_NAME = "PYL202"
    SHADOWING_MODULE = "PYL203"
    MODULE_NAME = "PYL204"

    NO_PYPROJECT = "PYL301"
    INVALID_TOML = "PYL302"
    NO_TOOL_TABLE = "PYL303"
    UNKNOWN_KEY = "PYL304"
    VALUE_TYPE = "PYL305"
    VALUE_RANGE = "PYL306"
    UNKNOWN_FUNCTION = "PYL307"
    HANDLER_NOT_FOUND = "PYL308"
    EVENT_FILE_MISSING = "PYL309"
    EVENT_FILE_NOT_JSON = "PYL310"
    SOURCE_FOLDER = "PYL311"
    MISSING_KEY = "PYL312"
    TRIGGER_EVENT = "PYL313"
    TRIGGER_CONFLICT = "PYL314"

    SYNTAX_ERROR = "PYL401"
    NO_FUNCTIONS = "PYL402"

    @property
    def slug(self) -> str:
        """The code in words, as in documentation and in names of folders."""
        return self.name.lower().replace("_", "-")


@dataclass(frozen=True, kw_only=True)
class Diagnostic:
    """One problem. Without a file, it concerns an option, a `PYL_*` variable, or the whole project."""

    code: Code
    message: str
    """What is wrong, in one line."""
    hint: str
    """What to do, in one line or in a few."""
    file: Path | None = None
    """Absolute."""
    line: int | None = None
    """1-based."""
    column: int | None = None
    """1-based, in characters."""
    width: int = 1
    """Characters that the problem covers on its line, for the carets."""

    def location(self, root: Path) -> str | None:
        """Return the file relative to the project, with forward slashes."""
        if self.file is None:
            return None
        return self.file.relative_to(root).as_posix() if self.file.is_relative_to(root) else str(self.file)

    def as_json(self, root: Path) -> dict[str, str | int | None]:
        """Return the object that `pyl check --json` prints. Its keys are a stable interface."""
        return {
            "code": self.code.value,
            "message": self.message,
            "hint": self.hint,
            "file": self.location(root),
            "line": self.line,
            "column": self.column,
        }


class InvalidProject(ConfigurationError):
    """The project has problems. `diagnostics` has all of them, and the message shows them."""

    def __init__(self, root: Path, diagnostics: Sequence[Diagnostic]) -> None:
        shown = "\n\n".join(render_diagnostic(diagnostic, root) for diagnostic in diagnostics)
        super().__init__(
            f"{count_noun(len(diagnostics), 'problem')} in {root}\n\n{shown}\n",
            hint="`pyl check` looks for these without building",
        )
        self.root = root
        self.diagnostics = tuple(diagnostics)


def sort_diagnostics(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Return diagnostics without duplicates in a stable order: configuration first, then by place."""

    def place(diagnostic: Diagnostic) -> tuple[bool, str, int, int, str, str]:
        file = diagnostic.file
        is_code = file is not None and file.name != "pyproject.toml"
        where = (diagnostic.line or 0, diagnostic.column or 0)
        return is_code, str(file or ""), *where, diagnostic.code.value, diagnostic.message

    return sorted(set(diagnostics), key=place)


Paint = Callable[[str, str], str]
"""Takes a role (`place`, `code`, `frame`, `mark`, `hint`) and a text, and returns the text with its style."""


def plain(role: str, text: str) -> str:  # noqa: ARG001 - the signature of Paint
    """Return the text without any style."""
    return text


def render_diagnostic(diagnostic: Diagnostic, root: Path, *, paint: Paint = plain) -> str:
    """Return the problem with its source line and carets below, without a final newline."""
    lines = [_headline(diagnostic, root, paint)]
    source = _source_line(diagnostic)
    if source is None:
        margin = ""
    else:
        margin = " " * len(str(diagnostic.line))
        bar = paint("frame", f"{margin} |")
        number = paint("frame", f"{diagnostic.line} |")
        mark = paint("mark", _carets(diagnostic, source))
        lines += [bar, f"{number} {_single_width(source)}", f"{bar} {mark}"]
    indent = "\n" + " " * (len(margin) + 9)
    lines.append(f"{margin} {paint('hint', '= hint:')} {diagnostic.hint.replace(chr(10), indent)}")
    return "\n".join(lines)


def _headline(diagnostic: Diagnostic, root: Path, paint: Paint) -> str:
    place = diagnostic.location(root)
    if place is not None and diagnostic.line is not None:
        place += f":{diagnostic.line}:{diagnostic.column or 1}"
    where = f"{paint('place', place)}: " if place else ""
    return f"{where}{paint('code', diagnostic.code.value)} {diagnostic.message}"


def _source_line(diagnostic: Diagnostic) -> str | None:
    if diagnostic.file is None or diagnostic.line is None:
        return None
    try:
        lines = diagnostic.file.read_bytes().decode("utf-8-sig", "replace").replace("\r\n", "\n").split("\n")
    except OSError:
        return None
    return lines[diagnostic.line - 1] if diagnostic.line <= len(lines) else None


def _single_width(source: str) -> str:
    """Replace tabs and control characters, which would move the carets or the terminal, with spaces."""
    return "".join(" " if unicodedata.category(character) == "Cc" else character for character in source)


def _carets(diagnostic: Diagnostic, source: str) -> str:
    start = max((diagnostic.column or 1) - 1, 0)
    width = max(1, min(diagnostic.width, len(source) - start))
    return " " * _columns(source[:start]) + "^" * max(1, _columns(source[start : start + width]))


def _columns(text: str) -> int:
    """Return the width in terminal columns: East Asian wide characters take two, combining marks none."""
    return sum(
        2 if unicodedata.east_asian_width(character) in "WF" else 0 if unicodedata.combining(character) else 1
        for character in text
    )


def count_noun(number: int, noun: str) -> str:
    """Return a number with its noun: `1 function`, `2 functions`, `no functions`."""
    if number == 1:
        return f"1 {noun}"
    return f"{number or 'no'} {noun}s"
