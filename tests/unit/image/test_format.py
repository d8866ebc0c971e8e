"""How the file is laid out."""

from __future__ import annotations

import struct
from pathlib import Path

from pyl.image import format as image_format
from pyl.image.addresses import PAGE
from pyl.image.format import Variant, checksum, segments_of, write
from pyl.image.guards import Guard, no_other_guard
from pyl.image.snapshot import KernelState, Region, Snapshot

BASE = 0x1800_0000_0000
_NUMBERS = [name for name in KernelState.__annotations__ if name not in ("actions", "directory")]
STATE = KernelState(**dict.fromkeys(_NUMBERS, 0), actions=(), directory="/var/task")


def region(address: int, pages: int, stored: dict[int, bytes], protection: int = 3) -> Region:
    content = {address + index * PAGE: fill * PAGE for index, fill in stored.items()}
    return Region(address, pages * PAGE, protection, "", False, False, content)


def test_neighbours_with_equal_protection_become_one_segment() -> None:
    found = segments_of([region(BASE, 2, {0: b"a", 1: b"b"}), region(BASE + 2 * PAGE, 1, {0: b"c"})])
    assert [(segment.address, segment.length) for segment, _ in found] == [(BASE, 3 * PAGE)]


def test_a_long_run_of_zeros_is_not_stored() -> None:
    found = segments_of([region(BASE, 200, {0: b"a", 199: b"b"})])
    assert [(s.length // PAGE, bool(s.flags & image_format.SEGMENT_ZERO)) for s, _ in found] == [
        (1, False),
        (198, True),
        (1, False),
    ]


def test_pages_equal_in_both_variants_are_stored_once(tmp_path: Path) -> None:
    full = Snapshot((region(BASE, 40, {i: bytes([i + 1]) for i in range(40)}),), STATE)
    base = Snapshot((region(BASE, 40, {i: bytes([i + 1 if i < 20 else 99]) for i in range(40)}),), STATE)
    one = write(tmp_path / "one", [Variant(2, full, ())])
    both = write(tmp_path / "both", [Variant(2, full, ()), Variant(1, base, ())])
    assert both.bytes - both.first_page - (one.bytes - one.first_page) == 20 * PAGE


def test_the_header_sums_to_its_checksum(tmp_path: Path) -> None:
    file = tmp_path / "image"
    written = write(file, [Variant(2, Snapshot((region(BASE, 1, {0: b"a"}),), STATE), (Guard(1, "NAME", "välue"),))])
    content = file.read_bytes()
    assert len(content) == written.bytes
    (header_bytes,) = struct.unpack_from("<I", content, 12)
    assert checksum(content[:header_bytes]) == struct.unpack_from("<Q", content, 24)[0]
    assert "NAME\0välue\0".encode() in content[:header_bytes]


def test_lambdas_variables_are_never_others() -> None:
    assert {"_HANDLER", "AWS_LAMBDA_*", "APP_A"} <= set(no_other_guard(["APP_A"]).value.split("\n"))
