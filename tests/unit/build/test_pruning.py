"""A native package keeps of the standard library what its code can reach."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pyl.build import pruning


def kept(folder: Path, code: str) -> set[str]:
    """The standard library's modules that are left for a handler with `code`."""
    library = folder / "lib"
    (library / "lib-dynload").mkdir(parents=True)
    for name in sys.stdlib_module_names:
        (library / f"{name}.pyc").write_bytes(b"")
    (folder / "handlers.py").write_text(code)
    pruning.prune(library, [folder / "handlers.py"], [])
    return {path.stem for path in library.glob("*.pyc")}


@pytest.mark.parametrize(
    ("code", "needed"),
    [
        ("import json", "json"),
        ("def f():\n    import sqlite3", "sqlite3"),
        ("import importlib\nimportlib.import_module('xml.sax')", "xml"),
        ("try:\n    import lzma\nexcept ImportError:\n    lzma = None", "_lzma"),
        ("async def f(): ...", "asyncio"),
        ("import hashlib", "_hashlib"),
        ("import datetime", "_strptime"),
        ("import time\ntime.strptime('1', '%d')", "_strptime"),
        ("import decimal", "_decimal"),
        ("import decimal", "numbers"),  # imported by the C module
        ("import logging.config\nlogging.config.fileConfig('x')", "configparser"),
        ("from concurrent import futures", "multiprocessing"),
        # TLS is optional for these modules, and not for those who use them.
        ("import urllib.request", "ssl"),
        ("from urllib import request", "ssl"),
        ("from http.client import HTTPSConnection", "_ssl"),
        ("import smtplib", "ssl"),
        ("import asyncio\nasync def f(): await asyncio.open_connection('h', 443, ssl=True)", "ssl"),
        # What the standard library imports only when a certain function is called.
        ("import shutil\nshutil.make_archive('a', 'zip')", "zipfile"),
        ("import pathlib\npathlib.Path('/').as_uri()", "urllib"),
        ("import logging.handlers as h\nh.SMTPHandler('h', 'a', ['b'], 's')", "smtplib"),
    ],
)
def test_what_the_code_needs_is_kept(tmp_path: Path, code: str, needed: str) -> None:
    assert needed in kept(tmp_path, code)


@pytest.mark.parametrize("unused", ["ssl", "_ssl", "sqlite3", "unittest", "multiprocessing", "tkinter", "asyncio"])
def test_what_a_plain_handler_cannot_reach_is_left_out(tmp_path: Path, unused: str) -> None:
    assert unused not in kept(tmp_path, "import json\nimport logging\nimport os\nfrom urllib.parse import quote\n")


def test_what_the_interpreter_imports_by_itself_is_always_kept(tmp_path: Path) -> None:
    assert {"encodings", "codecs", "importlib", "os", "traceback"} <= kept(tmp_path, "")


def test_an_extension_modules_imports_are_found_in_its_bytes(tmp_path: Path) -> None:
    library = tmp_path / "lib"
    (library / "lib-dynload").mkdir(parents=True)
    for name in ("sqlite3", "colorsys"):
        (library / f"{name}.pyc").write_bytes(b"")
    (tmp_path / "fast.so").write_bytes(b"\x7fELF\0import\0sqlite3\0end")
    pruning.prune(library, [tmp_path / "fast.so"], [])
    assert [path.name for path in library.glob("*.pyc")] == ["sqlite3.pyc"]
