"""Unpacks a package for the emulator, as Lambda unpacks it."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyl.errors import UsageError


@contextmanager
def unpacked(package: Path) -> Iterator[Path]:
    """A temporary folder with the content of `package` (a zip, or a folder that holds one's content)."""
    if package.is_dir():
        yield package
        return
    with tempfile.TemporaryDirectory(prefix="pyl-task-") as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        extract(package, folder)
        yield folder


def extract(package: Path, folder: Path) -> None:
    """Unpack the zip `package` into `folder`, which is made if it does not exist. Raises `UsageError`."""
    folder.mkdir(exist_ok=True)
    try:
        with zipfile.ZipFile(package) as archive:
            for info in archive.infolist():
                path = archive.extract(info, folder)
                mode = info.external_attr >> 16
                if mode and not info.is_dir():
                    Path(path).chmod(mode & 0o777)
    except (OSError, zipfile.BadZipFile) as error:
        msg = f"cannot read the package {package}: {error}"
        raise UsageError(msg, hint="make one with `pyl build`, or `pyl build --native`") from error


def layer_of(package: Path, task: Path) -> Path | None:
    """The layer zip that the interpreted `package`, unpacked in `task`, was built with; None when it needs none.

    Raises `UsageError` when it needs one that is not beside it.
    """
    if (task / "bootstrap").is_file() or (task / "pyl").is_dir():
        return None
    layer = package.with_name("layer.zip")
    if not layer.is_file():
        msg = f"{package} has its dependencies in a layer, and there is no {layer}"
        raise UsageError(msg, hint="build both with `pyl build --layer`")
    return layer
