"""Writes a new project: names are checked first, and nothing that exists is overwritten."""

from __future__ import annotations

import ast
import builtins
import keyword
import re
import string
from dataclasses import dataclass
from pathlib import Path

from pyl.errors import UsageError
from pyl.project.analysis.names import function_name_problem
from pyl.project.config.checks import find_problem
from pyl.project.config.tables import PROJECT_KEYS
from pyl.scaffold.catalog import PLACEHOLDER, Template

_PROJECT_NAME = re.compile(r"[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9._-]*[A-Za-z0-9]")
"""https://packaging.python.org/en/latest/specifications/name-normalization/"""

_PYPROJECT = string.Template("""\
[project]
name = "$name"
version = "0.1.0"
description = "A function for $title"
requires-python = ">=3.11"
dependencies = []  # what the function imports; packages carry it

[dependency-groups]
dev = ["pyl[native]", "pytest>=8"]

[tool.pyl]
region = "$region"

[tool.pyl.functions.$function]
memory = 256  # MB
timeout = 10  # seconds
event = "events/$kind.json"
$keys$trigger
[tool.pytest.ini_options]
pythonpath = ["src"]
""")

_README = string.Template("""\
# $name

A function for $title: `$function` in [src/handlers.py](src/handlers.py).

```console
$$ pyl check            # signatures and configuration, without importing the code
$$ python -m pytest
$$ pyl build
$$ pyl invoke $function --example event
$$ pyl build --native   # a package that starts from a process image
$$ pyl deploy --native
```
""")

_IGNORED = "__pycache__/\n.venv/\nbuild/\n"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A project to be made."""

    folder: Path
    """Absolute; need not exist. Its last part is the project's name."""
    template: Template
    function: str
    region: str

    @property
    def name(self) -> str:
        """The project's."""
        return self.folder.name


def default_function(name: str, template: Template) -> str:
    """A function's name after the project's: `order-mails` gives `order_mails`."""
    found = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return found if _is_free(found, template) else f"handle_{found}".rstrip("_")


def files(wanted: Wanted) -> dict[str, bytes]:
    """What the project consists of, by path within it."""
    template = wanted.template
    values = {
        "name": wanted.name,
        "title": template.title,
        "kind": template.name,
        "region": wanted.region,
        "function": wanted.function,
        "keys": f"{template.keys}\n" if template.keys else "",
        "trigger": _trigger(wanted),
    }
    texts = {
        "pyproject.toml": _PYPROJECT.substitute(values),
        "README.md": _README.substitute(values),
        ".gitignore": _IGNORED,
        "src/handlers.py": _named(template.handlers, wanted.function),
        "tests/test_handlers.py": _named(template.test, wanted.function),
    }
    return {path: text.encode() for path, text in texts.items()} | {f"events/{template.name}.json": template.event}


def write(wanted: Wanted) -> list[Path]:
    """Make the project and return its files.

    Raises:
        UsageError: a name cannot be, or a file of the project exists already.
    """
    check_project_name(wanted.name)
    check_function_name(wanted.function, wanted.template)
    _check_region(wanted.region)
    content = files(wanted)
    existing = [path for path in content if (wanted.folder / path).exists()]
    if existing:
        msg = f"{wanted.folder} has {', '.join(existing)} already"
        raise UsageError(msg, hint="choose another name, or an empty folder; nothing was written")
    try:
        for path, text in content.items():
            target = wanted.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text)
    except OSError as error:
        msg = f"cannot write the project: {error.filename}: {error.strerror}"
        raise UsageError(msg, hint="choose a folder that you may write to") from error
    return [wanted.folder / path for path in content]


def check_project_name(name: str) -> None:
    """Raise `UsageError` for what no Python project can be called."""
    if not _PROJECT_NAME.fullmatch(name):
        msg = f'a project cannot be called "{name}"'
        raise UsageError(msg, hint="letters, digits, and between them dots, hyphens and underscores")


def check_function_name(name: str, template: Template) -> None:
    """Raise `UsageError` for what neither Python nor Lambda takes, or what the new module needs itself."""
    if not name.isidentifier() or not name.isascii() or keyword.iskeyword(name):
        msg = f'a function cannot be called "{name}"'
        raise UsageError(msg, hint="letters, digits and underscores; not a word of the language")
    if problem := function_name_problem(name):
        raise UsageError(problem.message, hint=problem.hint)
    if not _is_free(name, template):
        msg = f'the new module uses the name "{name}" for something else'
        raise UsageError(msg, hint=f"choose another one, for instance handle_{name.lower()}")


def _check_region(region: str) -> None:
    (key,) = (key for key in PROJECT_KEYS if key.name == "region")
    if problem := find_problem(key, region):
        raise UsageError(problem.message, hint=problem.hint)


def _is_free(name: str, template: Template) -> bool:
    taken = {*dir(builtins), "handlers"} | _bound(template.handlers) | _bound(template.test)
    return name.isidentifier() and not keyword.iskeyword(name) and name not in taken - {PLACEHOLDER}


def _bound(source: str) -> set[str]:
    """All names that a module gives to something, in its functions too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.alias():
                found.add((node.asname or node.name).partition(".")[0])
            case ast.FunctionDef() | ast.ClassDef():
                found.add(node.name)
            case ast.Name(ctx=ast.Store()):
                found.add(node.id)
            case ast.arg():
                found.add(node.arg)
    return found


def _named(source: str, function: str) -> str:
    return re.sub(rf"\b{PLACEHOLDER}\b", function, source)


def _trigger(wanted: Wanted) -> str:
    if not wanted.template.trigger:
        return ""
    lines = wanted.template.trigger.replace("{name}", wanted.name)
    return f'\n[[tool.pyl.functions.{wanted.function}.triggers]]\ntype = "{wanted.template.name}"\n{lines}\n'
