"""What a build hands back: a finished package and the facts about it."""

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
    """Which process image a package starts from."""

    kind: str
    """`full`, `base` or `none`."""
    reasons: tuple[str, ...] = ()
    """Why it is not more than that."""


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
    """Unpacked bytes by part (your code, dependencies, standard library, ...)."""
    glibc: Mapping[str, str] = field(default_factory=dict)
    """File in the package to the highest glibc version that it needs."""

    def to_json(self) -> dict[str, Any]:
        """The object that `pyl build --json` prints."""
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
        }


def check_unpacked_size(components: Mapping[str, int]) -> int:
    """The sum of `components`; raises `BuildError` when Lambda would refuse it."""
    total = sum(components.values())
    if total > UNPACKED_LIMIT:
        parts = ", ".join(
            f"{name} {size / 1e6:.1f} MB" for name, size in sorted(components.items(), key=lambda item: -item[1])
        )
        limit = UNPACKED_LIMIT / 1e6
        msg = f"the package would unpack to {total / 1e6:.1f} MB; Lambda takes at most {limit:.1f} MB ({parts})"
        raise BuildError(
            msg,
            hint="leave out dependencies or data files that the functions do not need (`exclude` in [tool.pyl])",
        )
    return total
