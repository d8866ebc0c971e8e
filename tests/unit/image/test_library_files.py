"""What a snapshot has in common with the package's own libraries is found, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyl.image.file.library_files import mapped_from_files
from pyl.image.snapshot import EXECUTE, READ, WRITE, Region
from pyl.lambda_environment import PAGE

START = 0x1800_0000_0000
COUNT = 200
CONTENT = b"".join(bytes([1 + index]) * PAGE for index in range(COUNT))


@pytest.fixture
def package(tmp_path: Path) -> Path:
    (tmp_path / "lib.so").write_bytes(CONTENT[: -PAGE // 2])
    return tmp_path


def library(changed: dict[int, bytes] | None = None, *, offset: int = 0, protection: int = READ | EXECUTE) -> Region:
    """The whole library from `offset` (pages) on, but for `changed` pages."""
    content = CONTENT[: -PAGE // 2].ljust(COUNT * PAGE, b"\0")
    pages = {START + at: content[at + offset * PAGE :][:PAGE] for at in range(0, (COUNT - offset) * PAGE, PAGE)}
    pages |= {START + index * PAGE: page for index, page in (changed or {}).items()}
    name = "/root/var/task/lib.so"
    return Region(START, (COUNT - offset) * PAGE, protection, name, False, False, pages, offset * PAGE)


def found(region: Region, package: Path) -> list[tuple[int, int, int, str]]:
    parts = mapped_from_files([region], package, "/var/task")
    return [((p.address - START) // PAGE, p.length // PAGE, p.offset // PAGE, p.file) for p in parts]


def test_a_library_that_nothing_has_changed_is_mapped_from_its_file(package: Path) -> None:
    assert found(library(), package) == [(0, 200, 0, "lib.so")]
    assert found(library(offset=20), package) == [(0, 180, 20, "lib.so")]


def test_what_was_changed_is_stored_with_what_is_too_short_for_a_mapping(package: Path) -> None:
    changed = library({180: b"x" * PAGE, 190: b"y" * PAGE})
    assert found(changed, package) == [(0, 180, 0, "lib.so"), (180, 20, 180, "")]


def test_pages_stay_with_the_part_that_they_lie_in(package: Path) -> None:
    parts = mapped_from_files([library({0: b"x" * PAGE, 180: b"x" * PAGE})], package, "/var/task")
    assert [set(part.pages) for part in parts] == [
        {START},
        {START + index * PAGE for index in range(1, 180)},
        {START + index * PAGE for index in range(180, 200)},
    ]


def test_few_pages_are_worth_no_file(package: Path) -> None:
    assert {file for *_, file in found(library(offset=100), package)} == {""}


@pytest.mark.parametrize("protection", [READ | WRITE, WRITE])
def test_what_can_be_written_is_stored(package: Path, protection: int) -> None:
    assert found(library(protection=protection), package) == [(0, 200, 0, "")]


def test_what_lies_behind_the_end_of_the_file_is_stored(package: Path) -> None:
    longer = library()
    longer = Region(START, longer.length + 20 * PAGE, longer.protection, longer.name, False, False, longer.pages)
    assert found(longer, package) == [(0, 200, 0, "lib.so"), (200, 20, 200, "")]


def test_a_file_outside_of_the_package_is_none(package: Path) -> None:
    other = Region(START, COUNT * PAGE, READ, "/usr/lib/lib.so", False, False, library().pages)
    assert found(other, package) == [(0, 200, 0, "")]
