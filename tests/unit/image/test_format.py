"""How the file is laid out."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import pytest

from pyl.image.file.format import Variant, checksum, write
from pyl.image.file.guards import Guard, no_other_guard
from pyl.image.file.names import IMAGE, MEMORY
from pyl.image.file.structures import HEADER, RANGE, VARIANT
from pyl.image.snapshot import KernelState, Snapshot
from pyl.lambda_environment import PAGE
from unit.image.regions import BASE, different, region

_NUMBERS = [name for name in KernelState.__annotations__ if name not in ("processor", "actions", "directory")]
STATE = KernelState(processor=bytes(88), **dict.fromkeys(_NUMBERS, 0), actions=(), directory="/var/task")


@pytest.fixture
def package(tmp_path: Path) -> Path:
    (tmp_path / "pyl").mkdir()
    return tmp_path


def test_the_header_sums_to_its_checksum(package: Path) -> None:
    write(package, [Variant(2, Snapshot((region(BASE, 1, {0: b"a"}),), STATE), (Guard(1, "NAME", "välue"),))])
    content = (package / IMAGE).read_bytes()
    assert len(content) == struct.unpack_from("<Q", content, 16)[0]
    (header_bytes,) = struct.unpack_from("<I", content, 12)
    assert checksum(content[:header_bytes]) == struct.unpack_from("<Q", content, 24)[0]
    assert "NAME\0välue\0".encode() in content[:header_bytes]
    assert (package / MEMORY).read_bytes() == b"a" * PAGE


def test_files_that_memory_is_mapped_from_are_named_with_their_sizes(package: Path) -> None:
    (package / "library.so").write_bytes(bytes(2 * PAGE))
    mapped = replace(region(BASE, 2, {0: b"a"}, protection=5), file="library.so")
    stored = region(BASE + 9 * PAGE, 3, different(3))
    write(package, [Variant(2, Snapshot((mapped, stored), STATE), ())])
    content = (package / IMAGE).read_bytes()
    offset, count = struct.unpack_from("<2I", content, 40)
    found = [struct.unpack_from("<2IQ", content, offset + 16 * index) for index in range(count)]
    assert [(content[path:].partition(b"\0")[0], size) for path, _, size in found] == [
        (b"/var/task/pyl/memory", 3 * PAGE),
        (b"/var/task/library.so", 2 * PAGE),
    ]
    assert (package / MEMORY).stat().st_size == 3 * PAGE
    assert len(content) == struct.unpack_from("<I", content, 12)[0]  # nothing is touched


def test_what_a_cold_start_touches_stands_behind_the_header_and_nothing_else_does(package: Path) -> None:
    memory = Snapshot((region(BASE, 100, different(100), protection=5),), STATE)
    touching = Variant(2, memory, (), touched={BASE + 50 * PAGE: False, BASE + 70 * PAGE: False})
    write(package, [touching, Variant(1, memory, ())])
    content = (package / IMAGE).read_bytes()
    (header_bytes,) = struct.unpack_from("<I", content, 12)
    assert content[header_bytes:] == b"".join(memory.regions[0].pages[page] for page in touching.touched)


def test_the_ranges_of_memory_are_sorted_and_as_long_as_they_can_be(package: Path) -> None:
    (package / "library.so").write_bytes(bytes(2 * PAGE))
    mapped = replace(region(BASE + 3 * PAGE, 2, {0: b"a"}, protection=5), file="library.so")
    regions = (region(BASE, 3, different(3)), mapped, region(BASE + 9 * PAGE, 100, {}))
    write(package, [Variant(2, Snapshot(regions, STATE), ())])
    content = (package / IMAGE).read_bytes()
    table = VARIANT.unpack_from(content, HEADER.size)
    rows = [RANGE.unpack_from(content, table["mapped.offset"] + n * RANGE.size) for n in range(table["mapped.count"])]
    assert [(row["start"], row["length"]) for row in rows] == [(BASE, 5 * PAGE), (BASE + 9 * PAGE, 100 * PAGE)]


def test_the_header_ends_in_a_zero_so_that_its_strings_end_in_it(package: Path) -> None:
    for length in range(3000, 3200, 8):
        guard = Guard(1, "NAME", "x" * length)
        write(package, [Variant(2, Snapshot((region(BASE, 1, {0: b"a"}),), STATE), (guard,))])
        content = (package / IMAGE).read_bytes()
        assert content[HEADER.unpack_from(content)["header_bytes"] - 1] == 0


def test_lambdas_variables_are_never_others() -> None:
    assert {"_HANDLER", "AWS_LAMBDA_*", "APP_A"} <= set(no_other_guard(["APP_A"]).value.split("\n"))


CHECKSUM_OF_ZEROS = 0xD3651659593B4460


def test_the_checksum_is_the_one_of_version_8() -> None:
    assert checksum(bytes(48)) == CHECKSUM_OF_ZEROS
    assert checksum(bytes(40) + b"\x01" + bytes(7)) != CHECKSUM_OF_ZEROS
    assert checksum(bytes(24) + b"\xff" * 8 + bytes(16)) == CHECKSUM_OF_ZEROS  # its own word
