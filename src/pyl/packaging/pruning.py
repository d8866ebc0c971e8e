"""Removes the modules of the standard library that no code in a native package can import."""

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
"""Modules that import `ssl` only if it exists, and have no TLS without it. `ssl` is kept for code that names them."""

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
"""Modules that functions of the standard library import when they are called, by a pattern of code that calls them."""

_NOT_ASCII = re.compile(rb"[\x80-\xff]")
"""Sources with names that are not ASCII may need `unicodedata`, for example to make a dataclass."""

ALWAYS = (
    "__future__", "abc", "codecs", "collections", "encodings", "importlib",
    "importlib.machinery", "importlib.util", "io", "linecache", "os", "re", "stat", "traceback", "warnings",
)  # fmt: skip
"""Modules that interpreters import by themselves, or whose name is computed at run time (codecs)."""

PIECEWISE = frozenset({"email", "html", "http", "importlib", "json", "logging", "urllib"})
"""Packages whose modules are kept or removed one by one, since they are used independently of each other. Other
packages are kept completely: they often import their own modules by names that are computed at run time."""

_DOTTED = re.compile(rf"\b(?:{'|'.join(sorted(PIECEWISE))})(?:\.[a-z0-9_]+)+".encode())
"""Modules of `PIECEWISE` that code may use without importing them itself, since other code imports them."""

ACCELERATORS = {
    "bisect": ["_bisect"], "heapq": ["_heapq"], "json": ["_json"], "pickle": ["_pickle", "_compat_pickle"],
    "datetime": ["_datetime", "_strptime"], "decimal": ["_decimal", "numbers"], "struct": ["_struct"], "csv": ["_csv"],
    "asyncio": ["_asyncio"], "queue": ["_queue"], "statistics": ["_statistics"], "zoneinfo": ["_zoneinfo"],
    "uuid": ["_uuid"], "random": ["_random", "_sha512", "_sha2"], "contextvars": ["_contextvars"], "lzma": ["_lzma"],
    "xml": ["_elementtree", "pyexpat"], "socket": ["_socket", "stringprep"], "select": ["select"],
    "multiprocessing": ["_posixshmem"], "importlib.resources": ["importlib.readers"],
    "hashlib": ["_md5", "_sha1", "_sha256", "_sha512", "_sha2", "_sha3", "_blake2"], "ssl": ["_ssl"],
}  # fmt: skip
"""Modules that are imported by C code, or by Python code without a visible name. (`socket` imports `stringprep` by way
of the codec idna, for host names.)"""

SPARED = {
    "encodings": ("bz2", "stringprep", "unicodedata"),  # codecs that are not charsets: code that uses them names them
    "importlib._bootstrap_external": ("importlib.metadata", "importlib.readers"),  # their users import them
    "logging": ("pickle",),  # to refuse to pickle
    "os": ("subprocess",),  # popen
    "platform": ("socket", "subprocess"),  # to find out the processor and the host's name
    "re": ("unicodedata",),  # names of characters in expressions
    "shutil": ("bz2", "lzma"),  # to know whether archives can be written
    "traceback": ("unicodedata",),  # to mark columns of the source, which a package does not have
    "uuid": ("shutil", "socket", "subprocess"),  # to find a network card by programs, if its C code cannot
    "warnings": ("tracemalloc",),  # to say where memory was allocated, if it recorded that
}
"""Imports of modules of the standard library that are ignored: they happen in rare calls, which either work without the
imported module, or are recognised by `LATE`."""

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
"""Modules that the standard library imports only for debugging, in functions that are seldom called, or if they exist
(`decimal` is written in C, and `hashlib` has its own digests besides those of OpenSSL, whose libraries have 5 MB). They
are kept only if a module needs them to load, or if code outside of the standard library names them."""


def prune(library: Path, code: Iterable[Path], runtime: Iterable[Path]) -> None:
    """Remove the modules that cannot be reached from a package's standard library.

    Modules are reached if code imports them anywhere or names them in a string
    (`importlib.import_module("xml.sax")`), or if reached modules import them. If a module of a package is reached, the
    whole package is kept, except those in `PIECEWISE`.

    Args:
        library: Folder of the standard library in the package.
        code: Files of the user and of the dependencies: sources and extension modules.
        runtime: Sources of pyl's runtime.
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
        yield from _with_tls(imported.module for imported in imports.read(file, file.stem))
        yield from _parts(imports.string_constants(file))
        yield from _parts(name.decode() for name in _DOTTED.findall(text))
        yield from _late(text)
        if _NOT_ASCII.search(text):
            yield "unicodedata"
        if b"async def" in text:
            yield "asyncio"  # pyl's runtime runs coroutines with it
    elif elf.is_elf(file):
        content = file.read_bytes()
        strings = {text.decode() for text in _STRING.findall(content)}
        yield from _with_tls(strings)
        for package in PIECEWISE & strings:  # `from logging import handlers` leaves two strings
            yield from _with_tls(f"{package}.{name}" for name in _modules_in(package) & strings)
        yield from _late(b"\0".join(_TEXT.findall(content)))  # searching all of the content would take long


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
        imported
        for path, module in _files(name)
        for imported in _named_in_passing(path, module)
        if imported not in spared
    )


def _files(name: str) -> Iterator[tuple[Path, str]]:
    """Yield the sources that are kept if the module `name` is, and their modules' names."""
    root = Path(sysconfig.get_path("stdlib"))
    path = root.joinpath(*name.split("."))
    if (source := path.with_suffix(".py")).is_file():
        yield source, name
    elif name.partition(".")[0] in PIECEWISE:
        yield path / "__init__.py", name
    else:
        for source in sorted(path.rglob("*.py")):
            if not {"test", "tests"} & set(source.parts):
                yield source, ".".join(source.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def _named_in_passing(path: Path, module: str) -> Iterator[str]:
    for imported in imports.read(path, module):
        if imported.needed or imported.module.partition(".")[0] not in ONLY_BY_NAME:
            yield from _parts([imported.module])


def _parts(modules: Iterable[str]) -> Iterator[str]:
    """Yield the names to keep for modules: the top-level name, and each part below it for packages of `PIECEWISE`."""
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
    path = Path(sysconfig.get_path("stdlib")).joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()
