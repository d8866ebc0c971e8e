"""Where pyl keeps what is slow to make and the same for every project: compiled programs, downloaded wheels."""

from __future__ import annotations

import fcntl
import hashlib
import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

_instead: Path | None = None


def root(environ: Mapping[str, str] = os.environ) -> Path:
    """The cache folder: `PYL_CACHE_DIR`, else `$XDG_CACHE_HOME/pyl`, else `~/.cache/pyl`."""
    if _instead is not None:
        return _instead
    if chosen := environ.get("PYL_CACHE_DIR"):
        return Path(chosen).absolute()
    base = environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "pyl"


def key(*parts: object) -> str:
    """Name of the entry that `parts` determine: equal parts, equal name."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part if isinstance(part, bytes) else str(part).encode())
        digest.update(b"\0")
    return digest.hexdigest()[:24]


def entry(kind: str, name: str, make: Callable[[Path], None]) -> Path:
    """The folder `<cache>/<kind>/<name>`, made by `make(folder)` when it is not there yet.

    An entry appears whole or not at all: `make` fills a temporary folder beside it, which is renamed. When
    two processes make the same entry, the first to end wins and both use it.
    """
    folder = root() / kind / name
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".making-") as temporary:
        made = Path(temporary) / "entry"
        made.mkdir()
        make(made)
        try:
            made.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
    return folder


@contextmanager
def workspace(name: str) -> Iterator[Path]:
    """An empty folder for making `name`, whose path is one of few, removed at the end.

    Compilers remember paths, and zig's own cache finds a file again only at the same one: what is compiled
    in random temporary folders, or where another piece was before, is compiled from nothing each time.
    """
    for number in itertools.count():
        folder = root() / "work" / f"{name}-{number}"
        folder.parent.mkdir(parents=True, exist_ok=True)
        with folder.with_name(f"{folder.name}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
            return


@contextmanager
def disregarded() -> Iterator[None]:
    """Use an empty cache meanwhile, which is gone afterwards."""
    global _instead  # noqa: PLW0603 - one process makes one build
    with tempfile.TemporaryDirectory(prefix="pyl-cache-") as folder:
        _instead = Path(folder)
        try:
            yield
        finally:
            _instead = None


def clean() -> int:
    """Remove the whole cache; returns the number of bytes that were freed."""
    folder = root()
    if not folder.is_dir():
        return 0
    freed = sum(file.lstat().st_size for file in folder.rglob("*") if file.is_file())
    shutil.rmtree(folder)
    return freed
