"""A damaged image is refused with one clear error: never a wrong answer, never a silent crash."""

from __future__ import annotations

import os
import random
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.image import packages
from integration.image.forged_headers import CHECKSUM, header_of, overwrite, write_header
from integration.image.image_fuzzer import TABLES
from integration.image.lambda_environment import Environment
from pyl.image.arch.x86_64.registers import STATE
from pyl.image.create import capture
from pyl.image.file import format as image_format
from pyl.image.file.names import IMAGE, MEMORY
from pyl.image.file.structures import HEADER, KERNEL_STATE, TABLE, VARIANT

SOURCE = """
import time
imported = time.time()
def handler(event, context): return [imported, event]
"""
FIELDS = {name: (HEADER.offset(name), 4 if name in ("version", "header_bytes") else 8) for name in HEADER.members[:5]}
FIELDS |= {
    f"{table}: {name}": (HEADER.offset(table) + TABLE.offset(name), 4)
    for table in ("variants", "files")
    for name in ("offset", "count")
}
"""Offset and size of each field of `struct image_header`."""
READAHEAD = HEADER.size + VARIANT.offset("readahead")
"""Offset of the first variant's range of readahead: its start, its length, then how many bytes of it are encoded."""
random_places = random.Random(20251123)


@pytest.fixture(scope="module")
def whole(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "package"
    package = packages.with_functions(base, folder, {"handlers.py": SOURCE}, {"handler": "handlers:handler"})
    assert capture(package, environment={}).kind == "full"
    return package


@pytest.fixture
def image(whole: Path, tmp_path: Path) -> Iterator[Path]:
    """The image, which may be damaged: it is put back."""
    place = whole / IMAGE
    kept = shutil.copy(place, tmp_path / "kept")
    yield place
    shutil.copy(kept, place)


def assert_refused(run: type[Environment], package: Path, what: object) -> None:
    with run(package) as environment:
        error = environment.init_error()
        assert error["errorType"] == "Runtime.InvalidImage", what
        assert "deploy the package again" in error["errorMessage"], what
        assert environment.process.returncode == 1, what


def test_an_image_cut_short_anywhere_is_refused(whole: Path, image: Path, run: type[Environment]) -> None:
    size = image.stat().st_size
    lengths = {0, 1, 39, 40, 47, 48, 4095, 4096, size // 2, size - 1}
    lengths |= {random_places.randrange(size) for _ in range(25)} | {random_places.randrange(65536) for _ in range(25)}
    for length in sorted(lengths, reverse=True):
        os.truncate(image, length)
        assert_refused(run, whole, length)


def test_an_image_with_something_behind_it_is_refused(whole: Path, image: Path, run: type[Environment]) -> None:
    overwrite(image, b"x", image.stat().st_size)
    assert_refused(run, whole, "longer")


def test_a_changed_bit_anywhere_in_the_header_is_refused(whole: Path, image: Path, run: type[Environment]) -> None:
    header = header_of(image)
    places = [*range(0, 40, 3), *(random_places.randrange(len(header)) for _ in range(50))]
    for place in places:
        bit = 1 << random_places.randrange(8)
        overwrite(image, bytes((header[place] ^ bit,)), place)
        assert_refused(run, whole, (place, bit))
        overwrite(image, bytes(header[place : place + 1]), place)
    with run(whole) as environment:
        assert environment.invoke(1)[1] == 1


@pytest.mark.parametrize("field", FIELDS)
def test_another_value_in_a_field_of_the_header_is_refused(
    whole: Path, image: Path, run: type[Environment], field: str
) -> None:
    header = header_of(image)
    place, size = FIELDS[field]
    largest = 2 ** (8 * size) - 1
    original = int.from_bytes(header[place : place + size], "little")
    values = {0, 1, 48, 4096, largest // 2, largest, original + 8, original * 2 & largest} - {original}
    for value in values:
        overwrite(image, value.to_bytes(size, "little"), place)
        assert_refused(run, whole, (field, value))


@pytest.mark.parametrize("field", ["magic", "version", "header_bytes", "file_bytes", "variants: count", "files: count"])
def test_a_field_that_makes_no_sense_is_refused_also_where_the_checksum_holds(
    whole: Path, image: Path, run: type[Environment], field: str
) -> None:
    header = header_of(image)
    place, size = FIELDS[field]
    for value in (2 ** (8 * size) - 1, 2 ** (8 * size - 1), 3 << (8 * size - 3)):
        forged = bytearray(header)
        forged[place : place + size] = value.to_bytes(size, "little")
        (length,) = struct.unpack_from("<I", forged, 12)
        covered = (bytes(forged) + image.read_bytes()[len(forged) :])[: min(length, image.stat().st_size) // 16 * 16]
        struct.pack_into("<Q", forged, CHECKSUM, image_format.checksum(covered))
        overwrite(image, bytes(forged))
        assert_refused(run, whole, (field, value))


@pytest.mark.parametrize(
    ("place", "forged"),
    [
        (FIELDS["files: count"][0], struct.pack("<I", 0)),
        *((READAHEAD + 8 * number, struct.pack("<Q", 1 << 62)) for number in range(3)),
    ],
    ids=["no file", "readahead: start", "readahead: length", "encoded bytes"],
)
def test_what_is_not_there_is_not_looked_for(
    whole: Path, image: Path, run: type[Environment], place: int, forged: bytes
) -> None:
    header = header_of(image)
    header[place : place + len(forged)] = forged
    write_header(image, header)
    assert_refused(run, whole, place)


PLACES = {
    "segments": ("address", "length", "offset", "protection", "flags"),
    "mapped": ("start", "length"),
    "encoded": ("start", "length"),
    "packed": ("address", "length", "offset", "protection"),
    "populate": ("start", "length"),
    "neighbourhoods": ("start", "length"),
    "rarely_used": ("start", "length"),
    "word_kinds": ("own", "own_bytes"),
    "guards": ("kind", "name", "value"),
    "actions": ("number", "handler", "restorer"),
}
KERNEL = ("thread_id_address", "robust_list", "alternate_stack_bytes", "directory")


@pytest.mark.parametrize("table", PLACES)
def test_a_row_that_points_outside_is_refused_also_where_the_checksum_holds(
    whole: Path, image: Path, run: type[Environment], table: str
) -> None:
    original = bytes(header_of(image))
    structure = TABLES[table]
    variant = VARIANT.unpack_from(original, HEADER.size)
    for member in PLACES[table]:
        row = 0 if table == "segments" else random_places.randrange(variant[f"{table}.count"])  # the first is stored
        place = variant[f"{table}.offset"] + row * structure.size + structure.offset(member)
        size = 4 if next(field for field in structure.fields if field.name == member).type == "uint32_t" else 8
        forged = bytearray(original)
        forged[place : place + size] = (2 ** (8 * size) - 4096).to_bytes(size, "little")
        write_header(image, forged)
        assert_refused(run, whole, (table, row, member))


@pytest.mark.parametrize("member", [*KERNEL, *("rip", "rsp", "fs_base", "mxcsr")])
def test_a_state_that_the_kernel_or_the_processor_cannot_have_is_refused(
    whole: Path, image: Path, run: type[Environment], member: str
) -> None:
    header = header_of(image)
    structure, start = (KERNEL_STATE, VARIANT.offset("kernel")) if member in KERNEL else (STATE, VARIANT.size)
    size = 4 if member in ("directory", "mxcsr") else 8
    place = HEADER.size + start + structure.offset(member)
    header[place : place + size] = (2 ** (8 * size) - 4096).to_bytes(size, "little")
    write_header(image, header)
    assert_refused(run, whole, member)


def test_the_image_of_another_version_says_so(whole: Path, image: Path, run: type[Environment]) -> None:
    overwrite(image, struct.pack("<I", 99), 8)
    with run(whole) as environment:
        assert "another version" in environment.init_error()["errorMessage"]


@pytest.mark.parametrize("place", [b"pyl/memory", b"pyl/app/"])
@pytest.mark.parametrize("content", [None, b"", b"shorter"])
def test_an_image_of_which_a_file_is_missing_or_another_is_refused(
    whole: Path, tmp_path: Path, run: type[Environment], place: bytes, content: bytes | None
) -> None:
    package = Path(shutil.copytree(whole, tmp_path / "package", copy_function=os.link))
    header = header_of(package / IMAGE)
    name = next(part for part in bytes(header).split(b"\0") if part.startswith(b"/var/task/" + place)).decode()
    file = package / name.removeprefix("/var/task/")
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    assert_refused(run, package, (place, content))


def test_memory_of_another_length_is_refused(whole: Path, tmp_path: Path, run: type[Environment]) -> None:
    package = Path(shutil.copytree(whole, tmp_path / "package"))
    memory = package / MEMORY
    size = memory.stat().st_size
    for length in (0, 1, 4096, random_places.randrange(size), size - 1, size + 1):
        os.truncate(memory, length)
        assert_refused(run, package, length)
