"""Memory for the tests of how an image is laid out and written."""

from __future__ import annotations

from pyl.image.snapshot import READ, WRITE, Region
from pyl.lambda_environment import PAGE

BASE = 0x1800_0000_0000


def region(address: int, pages: int, stored: dict[int, bytes], protection: int = READ | WRITE) -> Region:
    """`stored` tells, by page, the byte that the page is full of; the others are zeros."""
    content = {address + index * PAGE: fill * PAGE for index, fill in stored.items()}
    return Region(address, pages * PAGE, protection, "", False, False, content)


def different(count: int, *, first: int = 1) -> dict[int, bytes]:
    return {index: bytes([first + index]) for index in range(count)}
