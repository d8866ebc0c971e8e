"""The processor of a capture."""

from __future__ import annotations

import struct

from pyl.image.arch.x86_64 import cpuid


def test_it_has_avx2_and_nothing_of_avx512() -> None:
    _, ebx, ecx, edx = cpuid.answer(7, 0)
    assert ebx >> 5 & 1
    assert ebx >> 16 == 0
    assert (ecx, edx) == (0, 0)


def test_it_saves_256_bit_registers_in_the_standard_layout() -> None:
    assert cpuid.answer(0xD, 0)[:3] == (0b111, 832, 832)
    assert cpuid.answer(0xD, 1)[0] & 0b10 == 0, "no XSAVEC"
    assert cpuid.answer(0xD, 2)[:2] == (256, 576)


def test_its_brand_is_told_in_three_leaves() -> None:
    text = b"".join(struct.pack("<4I", *cpuid.answer(0x80000002 + part, 0)) for part in range(3))
    assert text.rstrip(b"\0") == b"x86-64-v3 (process image)"


def test_unknown_leaves_are_empty() -> None:
    assert cpuid.answer(0x1D, 0) == cpuid.answer(0x80001234, 3) == (0, 0, 0, 0)
