"""A project with both packages, a static C program in the place of the compiled one."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

import pytest

from pyl.bench import programs
from pyl.image.file.names import FILES
from pyl.packaging import interpreted
from pyl.progress import Silent
from pyl.project import load_project

HANDLERS = """\
from dataclasses import dataclass

from pyl import Context, function


@dataclass
class Order:
    name: str


@function
def work(context: Context, event: Order) -> Order:
    return event
"""
PYPROJECT = """\
[project]
name = "work"
version = "1.0"
dependencies = []

[tool.pyl.functions.work]
event = "event.json"
environment = { TABLE = "orders", TOKEN = "do-not-show-this" }
"""


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("work")
    (folder / "pyproject.toml").write_text(PYPROJECT)
    (folder / "handlers.py").write_text(HANDLERS)
    (folder / "event.json").write_text('{"name": "Maria"}')
    out = folder / "build" / "pyl"
    interpreted.build(load_project(folder, environ=os.environ), out, Silent())
    with zipfile.ZipFile(out / "native-x86_64.zip", "w") as archive:
        archive.write(programs.baseline_runtime() / "bootstrap", "bootstrap")
        for name in FILES:
            archive.writestr(name, b"nothing that this program reads")
        archive.writestr("pyl/manifest.json", json.dumps({"image": {"kind": "full", "reasons": []}}))
    return folder
