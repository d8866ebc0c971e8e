"""Positions of the keys of a TOML document: `tomllib` returns values without lines.

The scanner expects a document that `tomllib` accepts. It separates tokens and checks nothing.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

KeyPath = tuple[str | int, ...]
"""Keys from the root of the document; an array's elements are numbered from 0."""


@dataclass(frozen=True)
class Position:
    """The position of a key or of an array's element. Line and column are 1-based, columns count characters."""

    line: int
    column: int
    width: int


def locate_keys(text: str) -> dict[KeyPath, Position]:
    """Return the position of every key, table header and array element of a document that is valid TOML.

    The position of a table that is named several times (`[a.b]`, `[a.c]`, `a.d = 1`) is the first one.
    """
    scanner = _Scanner(text.replace("\r\n", "\n"))
    scanner.document()
    return scanner.positions


_BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}(?!")'
    r"|'''.*?'{3,5}(?!')"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}\n#]*[^,\]}\n#\s]")


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.positions: dict[KeyPath, Position] = {}
        self.line_starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self.array_sizes: dict[KeyPath, int] = {}

    def document(self) -> None:
        table: KeyPath = ()
        while self._skip(_BLANK):
            if self._peek("["):
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> KeyPath:
        brackets = 2 if self._peek("[[") else 1
        self.at += brackets
        path: KeyPath = ()
        position = Position(1, 1, 1)
        for name, start in self._dotted_key():
            path = (*self._latest(path), name)
            position = self._record(path, start)
        self.at += brackets
        if brackets == 1:
            return path
        index = self.array_sizes.get(path, 0)
        self.array_sizes[path] = index + 1
        self.positions[*path, index] = position
        return (*path, index)

    def _latest(self, path: KeyPath) -> KeyPath:
        """Return the path of the last element of an array of tables: `[a.b]` below `[[a]]` belongs to it."""
        size = self.array_sizes.get(path)
        return path if size is None else (*path, size - 1)

    def _pair(self, table: KeyPath) -> None:
        path = table
        for name, start in self._dotted_key():
            path = (*path, name)
            self._record(path, start)
        self._accept("=")
        self._skip(_SPACE)
        self._value(path)

    def _dotted_key(self) -> Iterator[tuple[str, int]]:
        """Yield each part of a key and its offset; `self.at` ends after the key."""
        while True:
            self._skip(_SPACE)
            start = self.at
            if self._peek('"') or self._peek("'"):
                literal = self._match(_STRING)
                name = tomllib.loads(f"key = {literal}")["key"]
            else:
                name = self._match(_BARE_KEY)
            yield name, start
            self._skip(_SPACE)
            if not self._accept("."):
                return

    def _value(self, path: KeyPath) -> None:
        if self._accept("["):
            self._array(path)
        elif self._accept("{"):
            self._inline_table(path)
        elif self._peek('"') or self._peek("'"):
            self._match(_STRING)
        else:
            self._match(_SCALAR)

    def _array(self, path: KeyPath) -> None:
        index = 0
        while self._skip(_BLANK) and not self._accept("]"):
            start = self.at
            self._value((*path, index))
            self._record((*path, index), start)
            index += 1
            self._skip(_BLANK)
            self._accept(",")

    def _inline_table(self, path: KeyPath) -> None:
        while self._skip(_BLANK) and not self._accept("}"):
            self._pair(path)
            self._skip(_BLANK)
            self._accept(",")

    def _record(self, path: KeyPath, start: int) -> Position:
        line = bisect_right(self.line_starts, start)
        end = self.text.find("\n", start, self.at)
        width = (self.at if end < 0 else end) - start
        position = Position(line, start - self.line_starts[line - 1] + 1, max(1, width))
        self.positions.setdefault(path, position)
        return position

    def _skip(self, pattern: re.Pattern[str]) -> bool:
        """Skip text that matches; return whether more follows."""
        match = pattern.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return self.at < len(self.text)

    def _match(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        if match is None:
            msg = f"not TOML at offset {self.at}"
            raise ValueError(msg)
        self.at = match.end()
        return match.group()

    def _peek(self, token: str) -> bool:
        return self.text.startswith(token, self.at)

    def _accept(self, token: str) -> bool:
        if not self._peek(token):
            return False
        self.at += len(token)
        return True
