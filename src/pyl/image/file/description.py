"""What a package tells of its process image: `pyl/image.json`, which `pyl image` shows."""

from __future__ import annotations

import json
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from pyl.errors import UsageError
from pyl.image.capture.snapshot import Region
from pyl.lambda_environment import PAGE

if TYPE_CHECKING:
    from pyl.image.create import CaptureResult

NAME = "pyl/image.json"
HEAP = "heap"
"""Owner of everything that no file was mapped for: objects, buffers, stack."""


def owners(regions: Iterable[Region]) -> dict[str, int]:
    """Bytes stored for each mapped file, and for the heap; largest first. What is mapped from its file counts not."""
    found: Counter[str] = Counter()
    for region in regions:
        if not region.file:
            found[PurePosixPath(region.name).name or HEAP] += len(region.pages) * PAGE
    return dict(found.most_common())


def write(package: Path, result: CaptureResult) -> None:
    """Describe the image beside it. No value of any variable is told, only names."""
    content = {
        "kind": result.kind,
        "reasons": list(result.reasons),
        "bytes": result.bytes,
        "owners": dict(result.owners),
        "guards": [dict(said) for said in dict.fromkeys(tuple(guard.described().items()) for guard in result.guards)],
        "environment": [{"name": read.name, "where": read.where} for read in result.environment],
        "groups": [list(group.functions) for group in result.groups],
        "modules": len(result.modules),
        "processor": "x86-64-v3 with AES and PCLMUL",
    }
    (package / NAME).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def read(package: Path) -> Mapping[str, Any]:
    """The description in a package, a zip or a folder. Raises `UsageError` when there is none."""
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
