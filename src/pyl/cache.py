"""The cache of what is slow to make and equal for all projects: compiled programs, downloaded wheels."""

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

_temporary_root: Path | None = None


def root(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the cache folder: `PYL_CACHE_DIR`, else `$XDG_CACHE_HOME/pyl`, else `~/.cache/pyl`."""
    if _temporary_root is not None:
        return _temporary_root
    if chosen := environ.get("PYL_CACHE_DIR"):
        return Path(chosen).absolute()
    base = environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "pyl"


def key(*parts: object) -> str:
    """Return the name of the entry that is made from `parts`. Equal parts have equal names."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part if isinstance(part, bytes) else str(part).encode())
        digest.update(b"\0")
    return digest.hexdigest()[:24]


def entry(kind: str, name: str, make: Callable[[Path], None]) -> Path:
    """Return the folder `<cache>/<kind>/<name>`, and make it first if it does not exist.

    An entry is complete as soon as it exists: a temporary folder beside it is filled and then renamed. When two
    processes make the same entry, both use that of the first to finish.

    Args:
        kind: What the entry is, such as `awslambdaric`.
        name: The entry's name, from `key`.
        make: Fills the empty folder that it is called with.
    """
    folder = root() / kind / name
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".making-") as temporary:
        new_entry = Path(temporary) / "entry"
        new_entry.mkdir()
        make(new_entry)
        try:
            new_entry.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
    return folder


@contextmanager
def workspace(name: str) -> Iterator[Path]:
    """Yield an empty folder for building `name`, and remove it at the end.

    The path is `<cache>/work/<name>-<number>`, with the lowest number that no other process uses. Compilers record
    paths, and zig's own cache finds a file again only at the same path: in random temporary folders everything would be
    compiled anew each time.
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
def temporary_cache() -> Iterator[None]:
    """Use an empty cache instead of the usual one, and remove it at the end."""
    global _temporary_root  # noqa: PLW0603 - one process makes one build
    with tempfile.TemporaryDirectory(prefix="pyl-cache-") as folder:
        _temporary_root = Path(folder)
        try:
            yield
        finally:
            _temporary_root = None


def clean() -> int:
    """Remove the whole cache and return the number of bytes freed."""
    folder = root()
    if not folder.is_dir():
        return 0
    freed = sum(file.lstat().st_size for file in folder.rglob("*") if file.is_file())
    shutil.rmtree(folder)
    return freed
