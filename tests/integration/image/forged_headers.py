"""Changes the header of an image, and gives it the checksum that belongs to it."""

from __future__ import annotations

import struct
from pathlib import Path

from pyl.image.file import format as image_format
from pyl.image.file.guards import Guard
from pyl.image.file.structures import GUARD, HEADER, VARIANT

CHECKSUM = HEADER.offset("checksum")


def header_of(image: Path) -> bytearray:
    """Return the header of an image, as long as its own field says."""
    with image.open("rb") as file:
        head = file.read(HEADER.size)
        length = HEADER.unpack_from(head)["header_bytes"]
        return bytearray(head + file.read(length - len(head)))


def overwrite(image: Path, content: bytes, place: int = 0) -> None:
    """Write over a part of a file."""
    with image.open("r+b") as file:
        file.seek(place)
        file.write(content)


def write_header(image: Path, header: bytearray) -> None:
    """Write a header, with its checksum, over the one of an image."""
    struct.pack_into("<Q", header, CHECKSUM, image_format.checksum(bytes(header)))
    overwrite(image, bytes(header))


def replace_guard(image: Path, replaced: str, guard: Guard) -> None:
    """Put `guard` in the place of the first variant's guard of the variable `replaced`, over its value's string.

    Raises:
        LookupError: No guard of the variable has a value that is long enough for the strings of the new one.
    """
    header = header_of(image)
    variant = VARIANT.unpack_from(bytes(header), HEADER.size)
    strings = f"{guard.name}\0{guard.value}\0".encode()
    for number in range(variant["guards.count"]):
        place = variant["guards.offset"] + number * GUARD.size
        row = GUARD.unpack_from(bytes(header), place)
        name, value = (header[row[member] :].partition(b"\0")[0] for member in ("name", "value"))
        if name == replaced.encode() and len(value) + 1 >= len(strings):
            start = row["value"]
            header[start : start + len(strings)] = strings
            forged = GUARD.pack(kind=guard.kind, name=start, value=start + len(guard.name.encode()) + 1)
            header[place : place + GUARD.size] = forged
            write_header(image, header)
            return
    raise LookupError(replaced)
