"""What an examination finds: plain data, in the order looked at."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Area(StrEnum):
    """What a finding matters for."""

    PYTHON = "python"
    NATIVE = "native"
    IMAGE = "image"
    ENGINE = "engine"
    AWS = "aws"


TITLES = {
    Area.PYTHON: "Python, for every command",
    Area.NATIVE: "Native packages, built on this machine",
    Area.IMAGE: "Process images and the emulator",
    Area.ENGINE: "Native packages, built in a container",
    Area.AWS: "AWS, to deploy",
}


class Status(StrEnum):
    """How it stands with a thing."""

    OK = "ok"
    WARNING = "warning"
    """pyl does without it, or does it in another way."""
    FAILED = "failed"
    SKIPPED = "skipped"
    """Not looked at, for what `found` says."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    area: Area
    name: str
    status: Status
    found: str
    fix: str | None = None
    """What to do; for every warning and failure."""

    def as_json(self) -> dict[str, str | None]:
        """As `pyl doctor --json` lists it."""
        return {
            "area": self.area,
            "name": self.name,
            "status": self.status,
            "found": self.found,
            "fix": self.fix,
        }
