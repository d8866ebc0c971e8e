"""Writes small projects to measure: handlers, and dependencies of any size."""

from __future__ import annotations

import base64
import hashlib
import random
import zipfile
from collections.abc import Mapping
from pathlib import Path

_PROJECT = """\
[project]
name = "{name}"
version = "1.0"
requires-python = ">=3.11"
dependencies = [{dependencies}]

[tool.pyl]
region = "us-east-1"

[tool.pyl.native]
builder = "local" # the dependencies are files of this machine
{functions}"""

_FUNCTION = """
[tool.pyl.functions.{name}]
memory = 1769
timeout = 60
event = "event.json"
"""


def write_project(
    folder: Path,
    name: str,
    source: str,
    *,
    functions: tuple[str, ...],
    dependencies: tuple[str, ...] = (),
    event: bytes,
) -> None:
    """Write a project with one module, `handlers.py`, whose functions all have the same event.

    Args:
        folder: Where to write the project; must not exist.
        name: The project's name.
        source: Content of `handlers.py`.
        functions: Names of the functions in `source`.
        dependencies: Requirements of the project.
        event: JSON.
    """
    folder.mkdir(parents=True)
    listed = ", ".join(f'"{dependency}"' for dependency in dependencies)
    tables = "".join(_FUNCTION.format(name=function) for function in functions)
    text = _PROJECT.format(name=name, dependencies=listed, functions=tables)
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    (folder / "handlers.py").write_text(source, encoding="utf-8")
    (folder / "event.json").write_bytes(event)


def write_wheel(folder: Path, name: str, files: Mapping[str, bytes]) -> Path:
    """Write a wheel with `files` into `folder`, without a build backend, and return its path."""
    information = f"{name}-1.0.dist-info"
    contents = {
        **files,
        f"{information}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
        f"{information}/WHEEL": b"Wheel-Version: 1.0\nGenerator: pyl\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = [f"{path},sha256={_digest(content)},{len(content)}" for path, content in contents.items()]
    contents[f"{information}/RECORD"] = "\n".join([*record, f"{information}/RECORD,,", ""]).encode()
    wheel = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in contents.items():
            archive.writestr(path, content)
    return wheel


def modules(package: str, count: int) -> dict[str, bytes]:
    """Return the files of a package that imports `count` modules, each with some functions, a class and a table."""
    files = {f"{package}/module{number}.py": _module(number).encode() for number in range(count)}
    imports = "".join(f"from {package} import module{number}\n" for number in range(count))
    return files | {f"{package}/__init__.py": imports.encode()}


def incompressible(size: int) -> bytes:
    """Return `size` bytes that a zip cannot compress, the same ones in every run."""
    return random.Random(size).randbytes(size)


def _module(number: int) -> str:
    functions = "\n\n".join(
        f'def work{index}(value, *, factor={index}):\n    """Return value by factor."""\n'
        f"    total = value * factor\n    return {{'total': total, 'name': 'work{index}', 'module': {number}}}"
        for index in range(5)
    )
    return f'''"""Generated module {number}."""

import functools
import re

PATTERN = re.compile(r"item-{number}-(\\d+)")
TABLE = {{f"key{{index}}": (index, str(index), [index, index + 1]) for index in range(40)}}


class Thing{number}:
    """A class with some methods."""

    limit = {number}

    def __init__(self, name):
        self.name = name

    @functools.cached_property
    def size(self):
        return len(self.name) * self.limit

    def __repr__(self):
        return f"Thing{number}({{self.name!r}})"


{functions}
'''


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
