"""How memory is told in fewer bytes."""

from __future__ import annotations

import random
import struct

from pyl.image.file.page_codec import Kind, choose_kinds, encode
from pyl.image.file.structures import ENCODED_PAGE_MARGIN, WORD_KINDS
from pyl.lambda_environment import PAGE
from unit.image.page_codec_reference import decode

seeded = random.Random(20261128)


def page(*words: int) -> bytes:
    return struct.pack(f"<{len(words)}Q", *words).ljust(PAGE, b"\0")


def heap_like() -> list[bytes]:
    def word() -> int:
        return seeded.choice(
            [
                0,
                seeded.randrange(100),
                2**64 - 1,
                0x18DD_3600_0000 + seeded.randrange(1 << 20) * 16,
                0x18E1_5700_0000 + seeded.randrange(1 << 18) * 16,
                seeded.getrandbits(64),
            ]
        )

    return [page(*(word() for _ in range(PAGE // 8))) for _ in range(5)]


def test_every_page_comes_back() -> None:
    for pages in (
        [bytes(PAGE)],
        [seeded.randbytes(PAGE)],
        heap_like(),
        [(b"text of many words " * 216)[:PAGE]],
    ):
        kinds = choose_kinds(pages)
        assert len(kinds) == WORD_KINDS
        assert list(decode(encode(pages, kinds), kinds, len(pages))) == pages


def test_zeros_take_half_a_byte_each_and_what_is_alike_its_own_bytes_more() -> None:
    pointers = page(*(0x1234_5600_0000 + seeded.randrange(1 << 24) for _ in range(PAGE // 8)))
    kinds = choose_kinds([bytes(PAGE), pointers])
    assert Kind(0x1234_5600_0000, 3) in kinds
    assert len(encode([bytes(PAGE)], kinds)) == PAGE // 16
    assert len(encode([pointers], kinds)) <= PAGE // 16 + 3 * PAGE // 8


def test_the_kinds_chosen_are_those_that_save_most() -> None:
    often, rare = 0x1111_2222_3333_4444, 0x5555_6666_7777_8888
    others = [seeded.getrandbits(64) | 1 << 63 for _ in range(200)]
    kinds = choose_kinds([page(*[often] * 200, *[rare] * 100, *others)])
    assert kinds.index(Kind(often, 0)) < kinds.index(Kind(rare, 0))


def test_no_page_is_longer_than_the_margin_that_decoders_rely_on() -> None:
    noise = seeded.randbytes(PAGE)
    assert len(encode([noise], choose_kinds([bytes(PAGE)]))) <= ENCODED_PAGE_MARGIN - 8
