"""Leaves out of a native package what no code in it can import from the standard library."""

from __future__ import annotations

import functools
import re
import shutil
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path

from pyl.packaging import imports
from pyl.toolchain import elf

_STRING = re.compile(rb"[A-Za-z_][A-Za-z0-9_.]{1,60}(?=\0)")

_TEXT = re.compile(rb"[\t-\r -~]{3,}")

_OPENSSL_USERS = ("hashlib", "hmac", "ssl", "secrets")

TLS_CLIENTS = ("ftplib", "http.client", "imaplib", "nntplib", "poplib", "smtplib", "urllib.request", "xmlrpc.client")
"""Modules that import `ssl` only if they can, and speak no TLS without it: code that names one of them gets it."""

LATE = {
    rb"\bssl\s*=": ("ssl",),  # asyncio.open_connection(host, 443, ssl=True)
    rb"\b(?:make|unpack)_archive\b": ("tarfile", "zipfile"),
    rb"\b(?:as|from)_uri\b": ("urllib.parse",),
    rb"\bstrptime\b": ("_strptime",),  # by time's C code
    rb"\bfileConfig\b": ("configparser",),
    rb"\bSMTPHandler\b": ("smtplib", "ssl"),
    rb"\bHTTPHandler\b": ("http.client", "ssl"),
    rb"\bProcessPoolExecutor\b": ("multiprocessing",),
    rb"\bpopen\b": ("subprocess",),
    rb"\b(?:import platform|from platform|platform\.(?:architecture|node|platform|processor|uname))\b": (
        "socket",
        "subprocess",
    ),
    rb"\bbz2[_-]codec\b": ("bz2",),
    rb"\bidna\b": ("stringprep",),
    rb"\bHTTPCookieProcessor\b": ("http.cookiejar",),
    # By the parser, for names that are not ASCII; by codecs and regular expressions, for names of characters.
    rb"\b(?:namedtuple|make_dataclass|exec|eval|literal_eval|ast)\b|(?<![.\w])compile\(": ("unicodedata",),
    rb"\b(?:namereplace|unicode_escape)\b|\\N\{": ("unicodedata",),
}
"""What a function of the standard library imports when it is called, by the text that shows that it is."""

_NOT_ASCII = re.compile(rb"[\x80-\xff]")
"""A source with such a name in it, in a class perhaps of which a dataclass is made, asks for `unicodedata`."""

ALWAYS = (
    "__future__", "abc", "codecs", "collections", "encodings", "importlib",
    "importlib.machinery", "importlib.util", "io", "linecache", "os", "re", "stat", "traceback", "warnings",
)  # fmt: skip
"""What interpreters import by themselves, or by a name that is made at run time (codecs)."""

PIECEWISE = frozenset({"email", "html", "http", "importlib", "json", "logging", "urllib"})
"""Packages whose parts are used apart from each other: each module of these is kept, or not, for itself. Others come
whole: what they import of themselves they often name at run time."""

_DOTTED = re.compile(rf"\b(?:{'|'.join(sorted(PIECEWISE))})(?:\.[a-z0-9_]+)+".encode())
"""Modules of `PIECEWISE` that code may name without an import of its own, since others import them."""

ACCELERATORS = {
    "bisect": ["_bisect"], "heapq": ["_heapq"], "json": ["_json"], "pickle": ["_pickle", "_compat_pickle"],
    "datetime": ["_datetime", "_strptime"], "decimal": ["_decimal", "numbers"], "struct": ["_struct"], "csv": ["_csv"],
    "asyncio": ["_asyncio"], "queue": ["_queue"], "statistics": ["_statistics"], "zoneinfo": ["_zoneinfo"],
    "uuid": ["_uuid"], "random": ["_random", "_sha512", "_sha2"], "contextvars": ["_contextvars"], "lzma": ["_lzma"],
    "xml": ["_elementtree", "pyexpat"], "socket": ["_socket", "stringprep"], "select": ["select"],
    "multiprocessing": ["_posixshmem"], "importlib.resources": ["importlib.readers"],
    "hashlib": ["_md5", "_sha1", "_sha256", "_sha512", "_sha2", "_sha3", "_blake2"], "ssl": ["_ssl"],
}  # fmt: skip
"""Modules that C code imports (`socket` for the names of hosts: by way of the codec idna), or Python code in a way that
hides the name."""

SPARED = {
    "encodings": ("bz2", "stringprep", "unicodedata"),  # codecs that are no charsets: code names them
    "importlib._bootstrap_external": ("importlib.metadata", "importlib.readers"),  # who asks for them has them
    "logging": ("pickle",),  # to refuse to pickle
    "os": ("subprocess",),  # popen
    "platform": ("socket", "subprocess"),  # to ask programs for the processor, and for the host's name
    "re": ("unicodedata",),  # names of characters in expressions
    "shutil": ("bz2", "lzma"),  # to know whether archives can be written
    "traceback": ("unicodedata",),  # to point to columns of a source, and a package has none
    "uuid": ("shutil", "socket", "subprocess"),  # to ask programs for a network card, where its C code cannot
    "warnings": ("tracemalloc",),  # to tell where it was asked to record that
}
"""What these modules of the standard library import in rare calls, which do without, or `LATE` finds them in code."""

ONLY_BY_NAME = frozenset(
    {
        "_hashlib", "_pydatetime", "_pydecimal", "argparse", "asyncio", "bdb", "cmd", "code", "codeop", "concurrent",
        "configparser", "ctypes", "curses", "difflib", "distutils", "doctest", "ftplib", "getpass", "http", "lib2to3",
        "mailbox", "multiprocessing", "netrc", "optparse", "pdb", "plistlib", "pstats", "profile", "py_compile",
        "pydoc", "pydoc_data", "readline", "rlcompleter", "runpy", "smtplib", "socketserver", "sqlite3", "ssl",
        "statistics", "tarfile", "test", "tkinter", "tty", "unittest", "urllib", "webbrowser", "xml", "xmlrpc",
        "zipfile",
    }
)  # fmt: skip
"""What the standard library itself imports only for debugging, from a function that is seldom called, or with
a way to do without (`decimal` has its C; `hashlib` has its own digests besides OpenSSL's, whose libraries weigh
5 MB). It is followed when a module needs it to load, or when code outside of the standard library names it."""


def prune(library: Path, code: Iterable[Path], runtime: Iterable[Path]) -> None:
    """Remove from `library` (a standard library as the package has it) what cannot be reached.

    `code` are the files of the user and of the dependencies, sources and extension modules; `runtime` are the
    sources of pyl's runtime. Reached is what code imports anywhere, what it names in a string
    (`importlib.import_module("xml.sax")`), and so on from there; whatever of a package is reached keeps the
    package whole, unless it is one of `PIECEWISE`.
    """
    reached = _reached(list(code), list(runtime))
    for path in [*library.iterdir(), *(library / "lib-dynload").iterdir()]:
        name = path.name.partition(".")[0]
        if path.name == "lib-dynload":
            continue
        name = "sysconfig" if name.startswith("_sysconfigdata") else name
        if name not in reached:
            _remove(path)
        elif name in PIECEWISE and path.is_dir():
            _prune_package(path, name, reached)


def _prune_package(folder: Path, package: str, reached: set[str]) -> None:
    for path in folder.iterdir():
        name = f"{package}.{path.name.partition('.')[0]}"
        if path.name.startswith("__init__."):
            continue
        if name not in reached:
            _remove(path)
        elif path.is_dir():
            _prune_package(path, name, reached)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def _reached(code: list[Path], runtime: list[Path]) -> set[str]:
    pending = {name for file in code for name in _named_by(file)} | set(ALWAYS)
    pending |= {name for file in runtime for name in _named_in_passing(file, file.stem)}
    if pending & set(_OPENSSL_USERS):
        pending.add("_hashlib")
    reached: set[str] = set()
    while pending:
        name = pending.pop()
        if name in reached or name.partition(".")[0] not in sys.stdlib_module_names:
            continue
        reached.add(name)
        pending |= set(ACCELERATORS.get(name, ())) | _named_by_standard_library(name)
    return reached


def _named_by(file: Path) -> Iterator[str]:
    if file.suffix == ".py":
        text = file.read_bytes()
        yield from _with_tls(found.module for found in imports.read(file, file.stem))
        yield from _parts(imports.string_constants(file))
        yield from _parts(found.decode() for found in _DOTTED.findall(text))
        yield from _late(text)
        if _NOT_ASCII.search(text):
            yield "unicodedata"
        if b"async def" in text:
            yield "asyncio"  # pyl's runtime runs coroutines in its loop
    elif elf.is_elf(file):
        content = file.read_bytes()
        strings = {text.decode() for text in _STRING.findall(content)}
        yield from _with_tls(strings)
        for package in PIECEWISE & strings:  # `from logging import handlers` leaves two strings
            yield from _with_tls(f"{package}.{name}" for name in _modules_in(package) & strings)
        yield from _late(b"\0".join(_TEXT.findall(content)))  # the rest of it takes long to search


def _late(text: bytes) -> Iterator[str]:
    for pattern, names in LATE.items():
        if re.search(pattern, text):
            yield from _parts(names)


@functools.cache
def _modules_in(package: str) -> frozenset[str]:
    folder = Path(sysconfig.get_path("stdlib"), package)
    return frozenset(path.stem for path in folder.iterdir() if _is_module(f"{package}.{path.stem}"))


def _with_tls(modules: Iterable[str]) -> Iterator[str]:
    for module in modules:
        yield from _parts([module])
        if module in TLS_CLIENTS:
            yield "ssl"


@functools.cache
def _named_by_standard_library(name: str) -> frozenset[str]:
    spared = SPARED.get(name, ())
    return frozenset(
        found for path, module in _files(name) for found in _named_in_passing(path, module) if found not in spared
    )


def _files(name: str) -> Iterator[tuple[Path, str]]:
    """The sources that are kept when `name` is, and their modules."""
    root = Path(sysconfig.get_path("stdlib"))
    place = root.joinpath(*name.split("."))
    if (source := place.with_suffix(".py")).is_file():
        yield source, name
    elif name.partition(".")[0] in PIECEWISE:
        yield place / "__init__.py", name
    else:
        for path in sorted(place.rglob("*.py")):
            if not {"test", "tests"} & set(path.parts):
                yield path, ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def _named_in_passing(path: Path, module: str) -> Iterator[str]:
    for found in imports.read(path, module):
        if found.needed or found.module.partition(".")[0] not in ONLY_BY_NAME:
            yield from _parts([found.module])


def _parts(modules: Iterable[str]) -> Iterator[str]:
    """What of the standard library has to be kept for modules: their packages, and of `PIECEWISE` the modules too."""
    for module in modules:
        top, *further = module.split(".")
        if top not in sys.stdlib_module_names:
            continue
        yield top
        for name in further if top in PIECEWISE else ():
            top = f"{top}.{name}"
            if not _is_module(top):
                break
            yield top


@functools.cache
def _is_module(name: str) -> bool:
    place = Path(sysconfig.get_path("stdlib")).joinpath(*name.split("."))
    return place.with_suffix(".py").is_file() or (place / "__init__.py").is_file()
