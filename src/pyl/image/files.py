"""Where a process image lies in a package."""

from __future__ import annotations

from pathlib import Path

IMAGE, MEMORY = "pyl/image", "pyl/memory"
"""What every cold start reads; all memory, of which a start reads what it uses."""


def remove(package: Path) -> None:
    """Let `package` be without an image."""
    for name in (IMAGE, MEMORY):
        (package / name).unlink(missing_ok=True)


def size(package: Path) -> int:
    """Bytes that the image of `package` takes; 0 where there is none."""
    return sum(path.stat().st_size for path in (package / IMAGE, package / MEMORY) if path.exists())
