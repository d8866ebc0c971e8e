"""Puts a finished package into the output folder in one step, so that a failed build leaves the previous one intact."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyl.errors import BuildError

_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def scratch(out: Path) -> Iterator[Path]:
    """Create a temporary folder in `out`, so that publishing is a rename, and remove it at the end.

    Raises:
        BuildError: A file cannot be read or written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=out, prefix=".building-"))
    except OSError as error:
        raise _cannot_write(out, error) from error
    try:
        yield folder
    except OSError as error:
        raise _failure(Path(error.filename) if error.filename else out, out, error) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def publish(finished: Path, package: Path) -> None:
    """Move `finished` to `package`, on the same file system, and replace an existing package atomically."""
    with finished.open("rb") as handle:
        os.fsync(handle.fileno())
    finished.replace(package)


def _failure(where: Path, out: Path, error: OSError) -> BuildError:
    if error.errno in _FULL or where.is_relative_to(out):
        return _cannot_write(where, error)
    msg = f"{where}: {error.strerror or error}"
    return BuildError(msg, hint="the build needs this file; the previous package is unchanged")


def _cannot_write(where: Path, error: OSError) -> BuildError:
    msg = f"cannot write {where}: {error.strerror or error}"
    return BuildError(
        msg, hint="free some space, or choose another folder with --out; the previous package is unchanged"
    )
