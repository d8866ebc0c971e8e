"""How the file is laid out."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

from pyl.image.addresses import PAGE
from pyl.image.format import Variant, checksum, write
from pyl.image.guards import Guard, no_other_guard
from pyl.image.snapshot import KernelState, Region, Snapshot

BASE = 0x1800_0000_0000
_NUMBERS = [name for name in KernelState.__annotations__ if name not in ("actions", "directory")]
STATE = KernelState(**dict.fromkeys(_NUMBERS, 0), actions=(), directory="/var/task")


def region(address: int, pages: int, stored: dict[int, bytes], protection: int = 3) -> Region:
    content = {address + index * PAGE: fill * PAGE for index, fill in stored.items()}
    return Region(address, pages * PAGE, protection, "", False, False, content)


def test_the_header_sums_to_its_checksum(tmp_path: Path) -> None:
    file = tmp_path / "image"
    write(file, [Variant(2, Snapshot((region(BASE, 1, {0: b"a"}),), STATE), (Guard(1, "NAME", "välue"),))], tmp_path)
    content = file.read_bytes()
    assert len(content) == struct.unpack_from("<Q", content, 16)[0]
    (header_bytes,) = struct.unpack_from("<I", content, 12)
    assert checksum(content[:header_bytes]) == struct.unpack_from("<Q", content, 24)[0]
    assert "NAME\0välue\0".encode() in content[:header_bytes]


def test_a_file_that_memory_is_mapped_from_is_named_with_its_size(tmp_path: Path) -> None:
    (tmp_path / "library.so").write_bytes(bytes(2 * PAGE))
    mapped = replace(region(BASE, 2, {0: b"a"}, protection=5), file="library.so")
    file = tmp_path / "image"
    write(file, [Variant(2, Snapshot((mapped,), STATE), ())], tmp_path)
    content = file.read_bytes()
    offset, count = struct.unpack_from("<2I", content, 40)
    assert count == 1
    path, _, size = struct.unpack_from("<2IQ", content, offset)
    assert (content[path:].partition(b"\0")[0], size) == (b"/var/task/library.so", 2 * PAGE)
    assert len(content) == struct.unpack_from("<I", content, 12)[0]  # no page is stored


def test_what_is_needed_first_is_the_header_and_what_the_only_full_image_is_touched_at(tmp_path: Path) -> None:
    memory = Snapshot((region(BASE, 100, {page: bytes([page + 1]) for page in range(100)}, protection=5),), STATE)
    touching = Variant(2, memory, (), touched={BASE + 50 * PAGE: False, BASE + 70 * PAGE: False})
    base = Variant(1, memory, ())
    file = tmp_path / "image"
    front = write(file, [touching, base], tmp_path)
    (header_bytes,) = struct.unpack_from("<I", file.read_bytes(), 12)
    assert front == header_bytes + 2 * PAGE
    assert file.read_bytes()[header_bytes:front] == b"".join(memory.regions[0].pages[page] for page in touching.touched)
    untouched = replace(touching, touched={})
    for variants in ([touching, touching, base], [untouched, touching, base], [untouched, base]):
        assert write(file, variants, tmp_path) == struct.unpack_from("<I", file.read_bytes(), 12)[0]


def test_lambdas_variables_are_never_others() -> None:
    assert {"_HANDLER", "AWS_LAMBDA_*", "APP_A"} <= set(no_other_guard(["APP_A"]).value.split("\n"))
