"""Write a new project. Names are checked first, and existing files are never overwritten."""

from __future__ import annotations

import ast
import builtins
import keyword
import re
import string
from dataclasses import dataclass
from pathlib import Path

from pyl.errors import UsageError
from pyl.project.analysis.names import find_function_name_problem
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
class ProjectRequest:
    """The choices for a new project."""

    folder: Path
    """Absolute. It need not exist. Its last part is the project's name."""
    template: Template
    function: str
    region: str

    @property
    def name(self) -> str:
        """The name of the project."""
        return self.folder.name


def default_function(name: str, template: Template) -> str:
    """Return a name for the function that follows from the project's: `order_mails` for `order-mails`."""
    identifier = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return identifier if _is_free(identifier, template) else f"handle_{identifier}".rstrip("_")


def files(request: ProjectRequest) -> dict[str, bytes]:
    """Return the contents of the new project's files by their paths within it."""
    template = request.template
    values = {
        "name": request.name,
        "title": template.title,
        "kind": template.name,
        "region": request.region,
        "function": request.function,
        "keys": f"{template.keys}\n" if template.keys else "",
        "trigger": _trigger(request),
    }
    texts = {
        "pyproject.toml": _PYPROJECT.substitute(values),
        "README.md": _README.substitute(values),
        ".gitignore": _IGNORED,
        "src/handlers.py": _with_function_name(template.handlers, request.function),
        "tests/test_handlers.py": _with_function_name(template.test, request.function),
    }
    return {path: text.encode() for path, text in texts.items()} | {f"events/{template.name}.json": template.event}


def write(request: ProjectRequest) -> list[Path]:
    """Write the project and return its files.

    Raises:
        UsageError: A name is not valid, or a file of the project exists already.
    """
    check_project_name(request.name)
    check_function_name(request.function, request.template)
    _check_region(request.region)
    content = files(request)
    existing = [path for path in content if (request.folder / path).exists()]
    if existing:
        msg = f"{request.folder} already has {', '.join(existing)}"
        raise UsageError(msg, hint="choose another name, or an empty folder; nothing was written")
    try:
        for path, text in content.items():
            target = request.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text)
    except OSError as error:
        msg = f"cannot write the project: {error.filename}: {error.strerror}"
        raise UsageError(msg, hint="choose a folder that you may write to") from error
    return [request.folder / path for path in content]


def check_project_name(name: str) -> None:
    """Check that a Python project can have this name.

    Raises:
        UsageError: It cannot.
    """
    if not _PROJECT_NAME.fullmatch(name):
        msg = f'a project cannot be called "{name}"'
        raise UsageError(msg, hint="letters, digits, and between them dots, hyphens and underscores")


def check_function_name(name: str, template: Template) -> None:
    """Check that Python and Lambda accept the name of a function, and that the new module does not use it otherwise.

    Raises:
        UsageError: The name cannot be used.
    """
    if not name.isidentifier() or not name.isascii() or keyword.iskeyword(name):
        msg = f'a function cannot be called "{name}"'
        raise UsageError(msg, hint="letters, digits and underscores; not a Python keyword")
    if problem := find_function_name_problem(name):
        raise UsageError(problem.message, hint=problem.hint)
    if not _is_free(name, template):
        msg = f'the new module uses the name "{name}" for something else'
        raise UsageError(msg, hint=f"choose another one, for instance handle_{name.lower()}")


def _check_region(region: str) -> None:
    (key,) = (key for key in PROJECT_KEYS if key.name == "region")
    if problem := find_problem(key, region):
        raise UsageError(problem.message, hint=problem.hint)


def _is_free(name: str, template: Template) -> bool:
    used_names = {*dir(builtins), "handlers"} | _bound_names(template.handlers) | _bound_names(template.test)
    return name.isidentifier() and not keyword.iskeyword(name) and name not in used_names - {PLACEHOLDER}


def _bound_names(source: str) -> set[str]:
    """Return all names that a module binds, in its functions too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.alias():
                names.add((node.asname or node.name).partition(".")[0])
            case ast.FunctionDef() | ast.ClassDef():
                names.add(node.name)
            case ast.Name(ctx=ast.Store()):
                names.add(node.id)
            case ast.arg():
                names.add(node.arg)
    return names


def _with_function_name(source: str, function: str) -> str:
    return re.sub(rf"\b{PLACEHOLDER}\b", function, source)


def _trigger(request: ProjectRequest) -> str:
    if not request.template.trigger:
        return ""
    lines = request.template.trigger.replace("{name}", request.name)
    return f'\n[[tool.pyl.functions.{request.function}.triggers]]\ntype = "{request.template.name}"\n{lines}\n'
