"""A native package keeps those modules of the standard library that its code can reach."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

import pytest

from pyl.packaging import pruning


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
        # Codecs and names of characters, which are found at run time.
        ("import codecs\ncodecs.encode(b'', 'bz2')", "_bz2"),
        ("import codecs\ncodecs.encode(b'', 'bz2_codec')", "bz2"),
        ("'bücher'.encode('idna')", "unicodedata"),
        ("import socket", "unicodedata"),
        ("import re\nre.compile(r'\\N{DASH}')", "unicodedata"),
        ("'é'.encode('ascii', 'namereplace')", "unicodedata"),
        # Python's parser looks names up that are not ASCII.
        ("import dataclasses\n@dataclasses.dataclass\nclass Auftrag:\n    größe: int", "unicodedata"),
        ("import collections\ncollections.namedtuple('Row', next(lines))", "unicodedata"),
        ("def f(text):\n    return eval(text)", "unicodedata"),
    ],
)
def test_what_the_code_needs_is_kept(tmp_path: Path, code: str, needed: str) -> None:
    assert needed in kept(tmp_path, code)


@pytest.mark.parametrize("unused", ["ssl", "_ssl", "sqlite3", "unittest", "multiprocessing", "tkinter", "asyncio"])
def test_what_a_plain_handler_cannot_reach_is_left_out(tmp_path: Path, unused: str) -> None:
    assert unused not in kept(tmp_path, "import json\nimport logging\nimport os\nfrom urllib.parse import quote\n")


@pytest.mark.parametrize(
    "unused", ["unicodedata", "bz2", "lzma", "socket", "subprocess", "shutil", "argparse", "zipfile"]
)
def test_what_is_imported_in_rare_calls_only_is_left_out(tmp_path: Path, unused: str) -> None:
    assert unused not in kept(tmp_path, "import json\nimport logging\nimport uuid\nimport datetime\n")


def kept_parts(folder: Path, code: str) -> set[str]:
    """The modules of the standard library's packages that are left for a handler with `code`, by dotted names."""
    library, root = folder / "lib", Path(sysconfig.get_path("stdlib"))
    (library / "lib-dynload").mkdir(parents=True)
    for package in ("email", "encodings", "http", "importlib", "json", "logging", "urllib"):
        for source in (root / package).rglob("*.py"):
            copy = library / source.relative_to(root).with_suffix(".pyc")
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(b"")
    (folder / "handlers.py").write_text(code)
    pruning.prune(library, [folder / "handlers.py"], [])
    return {".".join(path.relative_to(library).with_suffix("").parts) for path in library.rglob("*.pyc")}


@pytest.mark.parametrize(
    ("code", "needed"),
    [
        ("import logging.handlers", "logging.handlers"),
        ("from logging import handlers", "logging.handlers"),
        ("import logging\nlogging.handlers.QueueHandler", "logging.handlers"),  # another module imports it, at home
        ("CONFIG = {'class': 'logging.handlers.RotatingFileHandler'}", "logging.handlers"),
        ("import importlib\nimportlib.import_module('email.mime.text')", "email.mime.text"),
        ("import email\nemail.message_from_string('')", "email.parser"),
        ("from email.mime.text import MIMEText", "email.mime.nonmultipart"),
        ("from importlib.metadata import version", "importlib.metadata._adapters"),
        ("from importlib.resources import files", "importlib.readers"),  # by the loader of the package asked for
        ("import http.client", "email.parser"),
        ("import logging.handlers as h\nh.HTTPHandler('h', '/')", "http.client"),
        ("import urllib.request as r\nr.build_opener(r.HTTPCookieProcessor())", "http.cookiejar"),
        ("import json", "json.decoder"),
        ("import pathlib\npathlib.Path('/').as_uri()", "urllib.parse"),
        ("", "encodings.koi8_r"),
        ("", "importlib.util"),
    ],
)
def test_of_a_package_the_modules_that_the_code_needs_are_kept(tmp_path: Path, code: str, needed: str) -> None:
    assert needed in kept_parts(tmp_path, code)


def test_of_a_package_the_modules_that_no_code_can_reach_are_left_out(tmp_path: Path) -> None:
    parts = kept_parts(tmp_path, "import json\nimport logging\n")
    assert {name for name in parts if name.startswith(("json", "logging", "email", "http"))} == {
        "json.__init__", "json.decoder", "json.encoder", "json.scanner", "logging.__init__",
    }  # fmt: skip


def test_what_the_interpreter_imports_by_itself_is_always_kept(tmp_path: Path) -> None:
    assert {"encodings", "codecs", "importlib", "os", "traceback"} <= kept(tmp_path, "")


def test_an_extension_modules_imports_from_packages_are_found_in_its_bytes(tmp_path: Path) -> None:
    library = tmp_path / "lib"
    for name in ("logging/__init__", "logging/handlers", "logging/config"):
        (library / "lib-dynload").mkdir(parents=True, exist_ok=True)
        path = library / f"{name}.pyc"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
    (tmp_path / "fast.so").write_bytes(b"\x7fELF\0handlers\0import\0logging\0end")
    pruning.prune(library, [tmp_path / "fast.so"], [])
    assert {path.stem for path in library.rglob("*.pyc")} == {"__init__", "handlers"}


def test_an_extension_modules_imports_are_found_in_its_bytes(tmp_path: Path) -> None:
    library = tmp_path / "lib"
    (library / "lib-dynload").mkdir(parents=True)
    for name in ("sqlite3", "colorsys"):
        (library / f"{name}.pyc").write_bytes(b"")
    (tmp_path / "fast.so").write_bytes(b"\x7fELF\0import\0sqlite3\0end")
    pruning.prune(library, [tmp_path / "fast.so"], [])
    assert [path.name for path in library.glob("*.pyc")] == ["sqlite3.pyc"]
