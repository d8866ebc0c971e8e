"""Check the names of functions and modules: Lambda refuses some, and packages already contain others."""

from __future__ import annotations

import keyword
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pyl.project.diagnostics import Code, Diagnostic

_FUNCTION_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html"""

_GENERATED_NAMES = frozenset({"TABLE", "Table"})
"""Names in the generated module `functions` besides the functions."""

_PACKAGED_MODULES = frozenset({"functions", "msgspec", "pyl"})
"""Modules of every package besides the project's and its dependencies."""

_HARMLESS = frozenset({"antigravity", "idlelib", "test", "this", "turtledemo"})
"""Modules of the standard library that nothing imports."""


@dataclass(frozen=True)
class NameProblem:
    """Why a function cannot have a name."""

    message: str
    hint: str


def find_function_name_problem(name: str) -> NameProblem | None:
    """Return why Lambda refuses a name, or why `functions.<name>` cannot mean the function; `None` if it is valid."""
    if not _FUNCTION_NAME.fullmatch(name):
        suggestion = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")[:64]
        message = f'Lambda refuses the function name "{name}"'
        more = f'; "{suggestion}" would do' if suggestion else ""
        return NameProblem(message, f"names are 1 to 64 letters (A to Z), digits, hyphens and underscores{more}")
    if name in _GENERATED_NAMES or (name.startswith("__") and name.endswith("__")):
        message = f'the function name "{name}" means something else in the handler "functions.{name}"'
        return NameProblem(message, 'choose another one: @function(name="...")')
    return None


def find_module_name_problem(file: Path, source: Path) -> Diagnostic | None:
    """Return why a module with functions cannot be imported by its name, or `None`."""
    parts = file.relative_to(source).with_suffix("").parts
    if parts == ("__init__",):
        message = "functions of `__init__.py` in the source folder itself cannot be imported"
        hint = "move them into a module beside it"
    else:
        wrong = [part for part in parts if not part.isidentifier() or keyword.iskeyword(part)]
        if not wrong:
            return None
        message = f'"{wrong[0]}" cannot be part of the name of a module, so its functions cannot be imported'
        hint = f'rename it to "{re.sub(r"[^A-Za-z0-9_]+", "_", wrong[0])}"'
        if keyword.iskeyword(wrong[0]):
            hint = f'"{wrong[0]}" is a Python keyword: rename it'
    return Diagnostic(code=Code.MODULE_NAME, message=message, hint=hint, file=file, line=1, column=1)


def find_shadowing_modules(files: Iterable[Path], source: Path) -> Iterator[Diagnostic]:
    """Yield a diagnostic for each module at the top of `source` that hides a module of the package or of Python."""
    seen = set()
    for file in files:
        relative = file.relative_to(source)
        name = relative.parts[0].removesuffix(".py")
        is_importable_there = len(relative.parts) == 1 or relative.parts[1:] == ("__init__.py",)
        hides_standard = is_importable_there and name in sys.stdlib_module_names - _HARMLESS
        if file.suffix != ".py" or name in seen or name.startswith("_"):
            continue
        if name in _PACKAGED_MODULES:
            holder = "the module of this name that every package holds"
        elif hides_standard:
            holder = f"the standard library's `{name}`"
        else:
            continue
        seen.add(name)
        yield Diagnostic(
            code=Code.SHADOWING_MODULE,
            message=f"the module `{name}` hides {holder}",
            hint="rename it, or leave it out with `exclude` in [tool.pyl]",
            file=file,
            line=1,
            column=1,
        )
