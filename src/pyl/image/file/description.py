"""The description of a process image in its package: `pyl/image.json`, which `pyl image` shows."""

from __future__ import annotations

import json
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from pyl.errors import UsageError
from pyl.image import arch
from pyl.image.result import CaptureResult
from pyl.image.snapshot import Region
from pyl.lambda_environment import PAGE

NAME = "pyl/image.json"
HEAP = "heap"
"""Name for all memory that is not mapped from a file: objects, buffers, stack."""


def bytes_by_file(regions: Iterable[Region]) -> dict[str, int]:
    """Return the bytes stored for each mapped file and for the heap, largest first.

    What a restore maps from the package's own file is not stored, so it does not count.
    """
    sizes: Counter[str] = Counter()
    for region in regions:
        if not region.file:
            sizes[PurePosixPath(region.name).name or HEAP] += len(region.pages) * PAGE
    return dict(sizes.most_common())


def write(package: Path, result: CaptureResult) -> None:
    """Describe the image beside it. Of variables it holds names only, never values."""
    processor = arch.host()
    content = {
        "kind": result.kind,
        "reasons": list(result.reasons),
        "accepted": list(result.accepted),
        "bytes": result.bytes,
        "owners": dict(result.bytes_by_file),
        "guards": [dict(items) for items in dict.fromkeys(tuple(guard.described().items()) for guard in result.guards)],
        "environment": [{"name": read.name, "where": read.where} for read in result.environment],
        "groups": [list(functions) for functions in result.groups],
        "modules": len(result.modules),
        "processor": processor.requirement if processor else "",
    }
    (package / NAME).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def read(package: Path) -> Mapping[str, Any]:
    """Return the description in a package, a zip or a folder.

    Raises:
        UsageError: There is none.
    """
    try:
        if package.is_dir():
            text = (package / NAME).read_text(encoding="utf-8")
        else:
            with zipfile.ZipFile(package) as archive:
                text = archive.read(NAME).decode("utf-8")
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        msg = f"{package} holds no description of a process image"
        raise UsageError(msg, hint="give a native package that `pyl build --native` made") from error
    content: Mapping[str, Any] = json.loads(text)
    return content
