"""The result of a build: a package and facts about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pyl.architecture import Architecture
from pyl.errors import BuildError
from pyl.packaging.commands import Commands

Kind = Literal["interpreted", "native"]

UNPACKED_LIMIT = 250 * 1024 * 1024
"""Bytes of a function's unpacked code, layers included."""


@dataclass(frozen=True, kw_only=True)
class ImageReport:
    """The kind of process image in a package, and why it is not a better one."""

    kind: str
    """`full`, `base` or `none`."""
    reasons: tuple[str, ...] = ()
    """Why the image is not `full`."""


@dataclass(frozen=True, kw_only=True)
class FirstStart:
    """What was seen of a function when it was started once from the finished package."""

    function: str
    milliseconds: float | None
    """From the start of the program to its first request for an event; None if it could not be imported."""
    image: str
    """What it started from: `full`, `base` or `none`; empty if that could not be seen."""
    reasons: tuple[str, ...] = ()
    """Why that is not `full`."""

    def to_json(self) -> dict[str, Any]:
        """Return the object that `pyl build --json` prints."""
        return {
            "function": self.function,
            "milliseconds": self.milliseconds,
            "image": self.image,
            "reasons": list(self.reasons),
        }


@dataclass(frozen=True, kw_only=True)
class Package:
    """A zip that can be deployed."""

    path: Path
    kind: Kind
    architecture: Architecture
    runtime: str
    functions: tuple[str, ...]
    bytes: int
    unpacked_bytes: int
    image: ImageReport
    commands: Commands
    layer: Path | None = None
    components: Mapping[str, int] = field(default_factory=dict)
    """Unpacked size of each part (your code, dependencies, standard library, ...) in bytes."""
    starts: tuple[FirstStart, ...] = ()
    """What was seen of each function; nothing if the builder could not start them."""
    glibc: Mapping[str, str] = field(default_factory=dict)
    """The highest glibc version that each file of the package needs, by the file's path."""

    def to_json(self) -> dict[str, Any]:
        """Return the object that `pyl build --json` prints."""
        return {
            "package": str(self.path),
            "kind": self.kind,
            "architecture": self.architecture,
            "runtime": self.runtime,
            "functions": list(self.functions),
            "bytes": self.bytes,
            "unpacked_bytes": self.unpacked_bytes,
            "image": {"kind": self.image.kind, "reasons": list(self.image.reasons)},
            "commands": {
                "create": self.commands.create,
                "update": self.commands.update,
                "publish_layer": self.commands.publish_layer,
                "upload": self.commands.upload,
                "functions": self.commands.functions,
            },
            "layer": str(self.layer) if self.layer else None,
            "components": dict(self.components),
            "glibc": dict(self.glibc),
            "starts": [start.to_json() for start in self.starts],
        }


def check_unpacked_size(components: Mapping[str, int]) -> int:
    """Return the total size of a package in bytes.

    Args:
        components: Unpacked size of each part in bytes.

    Raises:
        BuildError: The package is larger than Lambda accepts.
    """
    total = sum(components.values())
    if total > UNPACKED_LIMIT:
        parts = ", ".join(
            f"{name} {size / 1e6:.1f} MB" for name, size in sorted(components.items(), key=lambda item: -item[1])
        )
        limit = UNPACKED_LIMIT / 1e6
        msg = f"the package has {total / 1e6:.1f} MB unpacked; Lambda accepts at most {limit:.1f} MB ({parts})"
        raise BuildError(
            msg,
            hint="leave out dependencies or data files that the functions do not need (`exclude` in [tool.pyl])",
        )
    return total
