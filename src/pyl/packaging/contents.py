"""Copies what a package contains besides dependencies: the user's files, pyl's runtime and the function table."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyl
from pyl.packaging.docstrings import blank_docstrings
from pyl.project.model import Function, Project

_RUNTIME = (
    "__init__.py",
    "function.py",
    "context.py",
    "hooks.py",
    "responses.py",
    "batch.py",
    "lambda_environment.py",
    "events",
    "json",
    "runtime",
)
"""The parts of pyl that run in Lambda."""

INTERPRETED = ("batch", "events", "responses")
"""Those that native packages contain as bytecode: they mostly define data types, and compute little."""

_NOT_RUNTIME = ("edits.py", "samples", "samples.py", "__pycache__")

_TABLE = '''\
"""The functions of this package: the handler `functions.<name>` is attribute `<name>` of this module."""

TABLE = {{
{rows}}}
'''

_INTERPRETED = """
from pyl.runtime.bootstrap import Table  # noqa: E402

__getattr__ = Table(TABLE)
"""


def function_table(functions: Iterable[Function]) -> dict[str, str]:
    """Return `module:attribute` for each function, by its name."""
    return {function.name: f"{function.module}:{function.attribute}" for function in functions}


def write_function_module(project: Project, target: Path, *, interpreted: bool) -> None:
    """Write `functions.py`, the module that Lambda's handler setting names."""
    table = function_table(project.functions)
    rows = "".join(f"    {name!r}: {target_name!r},\n" for name, target_name in table.items())
    text = _TABLE.format(rows=rows) + (_INTERPRETED if interpreted else "")
    (target / "functions.py").write_text(text, encoding="utf-8")


def read_function_module(text: str) -> dict[str, str]:
    """Read the function table from the text of a `functions.py` that `write_function_module` wrote.

    Raises:
        ValueError: The text is that of another file.
    """
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        msg = f"functions.py: {error}"
        raise ValueError(msg) from None
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name("TABLE")], value=value):
                table = ast.literal_eval(value)
                if isinstance(table, dict):
                    return table
    msg = "its functions.py was not written by pyl"
    raise ValueError(msg)


def runtime_files() -> Iterator[tuple[Path, Path]]:
    """Yield every file of pyl that runs in Lambda: its absolute path, and its path below the package's root."""
    root = Path(pyl.__file__).parent
    for name in _RUNTIME:
        top = root / name
        for path in [top] if top.is_file() else sorted(top.rglob("*.py")):
            relative = path.relative_to(root)
            if not any(part in _NOT_RUNTIME for part in relative.parts):
                yield path, Path("pyl") / relative


def copy_runtime(target: Path) -> None:
    """Copy pyl's runtime into `target`, without its docstrings."""
    for source, relative in runtime_files():
        destination = target / relative
        destination.parent.mkdir(parents=True, exist_ok=True)
        destination.write_text(blank_docstrings(source.read_text(encoding="utf-8")), encoding="utf-8")


def copy_user_files(project: Project, target: Path) -> None:
    """Copy the project's code and data to `target`, with the folder structure of its `source`."""
    for file in project.files:
        destination = target / file.relative_to(project.configuration.source)
        destination.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, destination)
