"""A decoder of encoded pages that is simple rather than fast."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pyl.image.file.page_codec import Kind
from pyl.lambda_environment import PAGE


def decode(encoded: bytes, kinds: Sequence[Kind], pages: int) -> Iterator[bytes]:
    """So many pages, one by one."""
    place = 0
    for _ in range(pages):
        numbers = [number for byte in encoded[place : place + PAGE // 16] for number in (byte & 15, byte >> 4)]
        place += PAGE // 16
        page = bytearray()
        for number in numbers:
            kind = kinds[number]
            own = int.from_bytes(encoded[place : place + kind.bytes], "little")
            place += kind.bytes
            page += (kind.base | own).to_bytes(8, "little")
        yield bytes(page)
