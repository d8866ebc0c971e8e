"""Unpacks packages as Lambda does."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyl.errors import UsageError


@contextmanager
def unpacked(package: Path) -> Iterator[Path]:
    """Yield a folder with the content of a package, which is a zip or such a folder.

    Raises:
        UsageError: The package cannot be read.
    """
    if package.is_dir():
        yield package
        return
    with tempfile.TemporaryDirectory(prefix="pyl-task-") as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        extract(package, folder)
        yield folder


def extract(package: Path, folder: Path) -> None:
    """Unpack a zip into a folder, which is created if it does not exist.

    Raises:
        UsageError: The zip cannot be read.
    """
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
        raise UsageError(msg, hint="build one with `pyl build` or `pyl build --native`") from error


def find_layer(package: Path, task: Path) -> Path | None:
    """Return the layer zip that a package needs, or None if it needs none.

    Args:
        package: The package's zip. Its layer is `layer.zip` beside it.
        task: The folder that the package was unpacked into.

    Raises:
        UsageError: The package needs a layer, and there is none.
    """
    if (task / "bootstrap").is_file() or (task / "pyl").is_dir():
        return None
    layer = package.with_name("layer.zip")
    if not layer.is_file():
        msg = f"{package} needs a layer with its dependencies, and {layer} does not exist"
        raise UsageError(msg, hint="build both with `pyl build --layer`")
    return layer
