"""Results of checks as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Area(StrEnum):
    """What a check is relevant for."""

    PYTHON = "python"
    NATIVE = "native"
    IMAGE = "image"
    ENGINE = "engine"
    AWS = "aws"


TITLES = {
    Area.PYTHON: "Python, for all commands",
    Area.NATIVE: "Native packages, built on this machine",
    Area.IMAGE: "Process images and the emulator",
    Area.ENGINE: "Native packages, built in a container",
    Area.AWS: "Deployment to AWS",
}


class Status(StrEnum):
    """Result of a check."""

    OK = "ok"
    WARNING = "warning"
    """pyl works without it, or in another way."""
    FAILED = "failed"
    SKIPPED = "skipped"
    """Not checked, for the reason in `found`."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The result of one check."""

    area: Area
    name: str
    status: Status
    found: str
    fix: str | None = None
    """What to do about a warning or a failure."""

    def as_json(self) -> dict[str, str | None]:
        """Return the entry of `pyl doctor --json`."""
        return {
            "area": self.area,
            "name": self.name,
            "status": self.status,
            "found": self.found,
            "fix": self.fix,
        }
