"""The result of a capture: what `pyl build` reports and the package describes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pyl.image.file.guards import Guard
from pyl.image.snapshot import EnvironmentRead


@dataclass(frozen=True)
class CaptureResult:
    """Which image could be taken, and what it holds."""

    kind: str
    """`full`, `base` or `none`."""
    reasons: tuple[str, ...] = ()
    """Why it is not `full`."""
    bytes: int = 0
    guards: tuple[Guard, ...] = ()
    environment: tuple[EnvironmentRead, ...] = ()
    modules: Mapping[str, str] = field(default_factory=dict)
    bytes_by_file: Mapping[str, int] = field(default_factory=dict)
    """Bytes in the image by mapped file, and of the heap."""
    groups: tuple[tuple[str, ...], ...] = ()
    """Names of the functions of each full image, if their environments need several."""
    output: str = ""
    """What the program printed meanwhile."""
    accepted: tuple[str, ...] = ()
    """What it keeps of the instance that it was taken of, and the project accepts."""
    notes: tuple[str, ...] = ()
    """What else a report says."""
