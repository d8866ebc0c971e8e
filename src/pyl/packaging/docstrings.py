"""Blanks the docstrings of pyl's own modules in packages: they are for editors, and a cold start reads them."""

from __future__ import annotations

import ast


def blank_docstrings(source: str) -> str:
    """Return Python source whose docstrings are empty, with all line numbers as before.

    Strings that document a variable are blanked as well. Other statements keep every character.

    Raises:
        ValueError: There is code behind a docstring of several lines.
    """
    lines = source.encode().splitlines(keepends=True)
    strings = [
        node.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    ]
    for string in strings:
        first, last = string.lineno - 1, (string.end_lineno or string.lineno) - 1
        before, after = lines[first][: string.col_offset], lines[last][string.end_col_offset :]
        lines[first : last + 1] = [before + b'""' + (after if first == last else b"\n"), *[b"\n"] * (last - first)]
        if first != last and after.strip():
            msg = f"line {last + 1}: there is code behind a string of several lines, which cannot be blanked"
            raise ValueError(msg)
    return b"".join(lines).decode()
