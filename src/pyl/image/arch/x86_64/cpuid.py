"""The processor that a program sees while it is captured: x86-64-v3 as Lambda promises it, and nothing beyond.

Whatever chooses code by processor (the C library's string functions, OpenSSL, numpy, Rust's crates) so chooses code
that every target can run. The launcher tries these instructions before it restores an image.
"""

from __future__ import annotations

import struct

# Intel SDM volume 2, CPUID; the model is a Haswell, the first x86-64-v3 processor.
_VENDOR = b"GenuineIntel"
_BRAND = b"x86-64-v3 (process image)".ljust(48, b"\0")

_LEAF1_EDX = 0x178BFBFF  # FPU..SSE2, HTT; also AT_HWCAP in loader_abi.h
_LEAF1_ECX = (
    1 << 0  # SSE3
    | 1 << 1  # PCLMULQDQ
    | 1 << 9  # SSSE3
    | 1 << 12  # FMA
    | 1 << 13  # CMPXCHG16B
    | 1 << 19  # SSE4.1
    | 1 << 20  # SSE4.2
    | 1 << 22  # MOVBE
    | 1 << 23  # POPCNT
    | 1 << 25  # AES
    | 1 << 26  # XSAVE
    | 1 << 27  # OSXSAVE
    | 1 << 28  # AVX
    | 1 << 29  # F16C
)
_LEAF7_EBX = 1 << 3 | 1 << 5 | 1 << 8 | 1 << 9  # BMI1, AVX2, BMI2, ERMS
_EXTENDED1_ECX = 1 << 0 | 1 << 5  # LAHF, LZCNT
_EXTENDED1_EDX = 1 << 11 | 1 << 20 | 1 << 29  # SYSCALL, NX, long mode

_XSAVE_BYTES = 832  # legacy 512 + header 64 + AVX 256
XCR0 = 0b111  # x87, SSE, AVX

# Type and level; ways and bytes per line, each less one; sets less one.
_CACHES = (
    (1 << 5 | 1, 7 << 22 | 63, 63),  # 32 kB data
    (1 << 5 | 2, 7 << 22 | 63, 63),  # 32 kB instructions
    (2 << 5 | 3, 7 << 22 | 63, 511),  # 256 kB
    (3 << 5 | 3, 15 << 22 | 63, 8191),  # 8 MB
)


def answer(leaf: int, subleaf: int) -> tuple[int, int, int, int]:
    """Return (eax, ebx, ecx, edx) of `cpuid`; leaves of other features are zero, as on a processor without them."""
    if leaf == 0:
        b, d, c = struct.unpack("<3I", _VENDOR)
        return 0xD, b, c, d
    if leaf == 1:
        return 0x306C3, 1 << 16 | 8 << 8, _LEAF1_ECX, _LEAF1_EDX
    if leaf == 2:
        return 0x76036301, 0x00F0B5FF, 0, 0x00C10000
    if leaf == 4:
        if subleaf >= len(_CACHES):
            return 0, 0, 0, 0
        kind, lines, sets = _CACHES[subleaf]
        return kind, lines, sets, 0
    if leaf == 7:
        return (0, _LEAF7_EBX, 0, 0) if subleaf == 0 else (0, 0, 0, 0)
    if leaf == 0xB:
        return _topology(subleaf)
    if leaf == 0xD:
        return _extended_state(subleaf)
    return _extended(leaf)


def _topology(level: int) -> tuple[int, int, int, int]:
    if level == 0:
        return 0, 1, 1 << 8, 0  # one thread per core
    if level == 1:
        return 0, 1, 2 << 8 | 1, 0  # one core
    return 0, 0, level, 0


def _extended_state(component: int) -> tuple[int, int, int, int]:
    if component == 0:
        return XCR0, _XSAVE_BYTES, _XSAVE_BYTES, 0
    if component == 1:
        return 1, 0, 0, 0  # XSAVEOPT, no XSAVEC: the compact layout differs between processors
    if component == 2:
        return 256, 576, 0, 0
    return 0, 0, 0, 0


def _extended(leaf: int) -> tuple[int, int, int, int]:
    if leaf == 0x80000000:
        return 0x80000008, 0, 0, 0
    if leaf == 0x80000001:
        return 0, 0, _EXTENDED1_ECX, _EXTENDED1_EDX
    if 0x80000002 <= leaf <= 0x80000004:
        a, b, c, d = struct.unpack_from("<4I", _BRAND, (leaf - 0x80000002) * 16)
        return a, b, c, d
    if leaf == 0x80000006:
        return 0, 0, 256 << 16 | 6 << 12 | 64, 0
    if leaf == 0x80000007:
        return 0, 0, 0, 1 << 8  # invariant time stamp counter
    if leaf == 0x80000008:
        return 48 << 8 | 39, 0, 0, 0
    return 0, 0, 0, 0
