"""Where a process image lies in a package."""

from __future__ import annotations

from pathlib import Path

FILES = IMAGE, MEMORY = "pyl/image", "pyl/memory"
"""What a start from the disk reads; the memory, but for what the package's libraries hold."""


def remove(package: Path) -> None:
    """Let `package` be without an image."""
    for name in FILES:
        (package / name).unlink(missing_ok=True)


def size(package: Path) -> int:
    """Bytes that the image of `package` takes; 0 where there is none."""
    return sum((package / name).stat().st_size for name in FILES if (package / name).exists())
