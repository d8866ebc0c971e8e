"""A restored process is the same one whether its package is in the page cache or has to be read from the disk."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from integration.image.lambda_environment import Environment
from pyl.bench import page_cache
from pyl.image.file.names import IMAGE, MEMORY
from pyl.image.result import CaptureResult

SOURCE = """
import ctypes, hashlib, json, os, random, sys
LIBC = ctypes.CDLL(None)
NUMBERS = ctypes.POINTER(ctypes.c_int)
COMPARE = ctypes.CFUNCTYPE(ctypes.c_int, NUMBERS, NUMBERS)(lambda a, b: a[0] - b[0])  # code made at run time
def in_order(*numbers) -> None:
    array = (ctypes.c_int * len(numbers))(*numbers)
    LIBC.qsort(array, len(array), ctypes.sizeof(ctypes.c_int), COMPARE)
    return list(array)
TABLE = {f"key {number}": [number, str(number) * 50, {"inner": number}] for number in range(1000)}
TEXT = random.Random(20261201).randbytes(1 << 20).hex()
def digest() -> None:
    return hashlib.sha256(json.dumps(TABLE).encode() + TEXT.encode()).hexdigest()
AT_IMPORT = digest()
COUNT = [0]
def handler(event, context) -> None:
    if event == "mappings":
        with open("/proc/self/maps") as maps:
            return sum("/pyl/image" in line or "/pyl/memory" in line for line in maps)
    COUNT[0] += 1
    TABLE["key 7"][0] = 7
    same, ordered = digest() == AT_IMPORT, in_order(3, 1, 2)
    return {"same": same, "sorted": ordered, "count": COUNT[0], "digest": AT_IMPORT, "modules": len(sys.modules)}
"""


@pytest.fixture
def package(captured: Callable[..., tuple[Path, CaptureResult]]) -> Path:
    package, result = captured(SOURCE, warm_up={"handler": {}})
    assert result.kind == "full", result.reasons
    return package


def forget(package: Path) -> None:
    files = page_cache.files([package])
    page_cache.write_back(files)
    page_cache.drop(files)
    if page_cache.resident(files) > 0.01:
        pytest.skip("this file system keeps its files in memory")


def remember(package: Path) -> None:
    page_cache.fill(page_cache.files([package]))


def mappings(run: Callable[[Path], Environment], package: Path) -> int:
    """How many of them bring the image back: more where it has to be read from the disk."""
    with run(package) as environment:
        found: int = environment.invoke("mappings")
    return found


def answers(run: Callable[[Path], Environment], package: Path) -> list[Any]:
    with run(package) as environment:
        return [environment.invoke({}) for _ in range(3)]


def test_the_answers_are_the_same_from_the_disk_and_from_the_page_cache(package: Path, run: type[Environment]) -> None:
    remember(package)
    from_cache = answers(run, package)
    assert [answer["same"] for answer in from_cache] == [True, True, True]
    assert [answer["sorted"] for answer in from_cache] == [[1, 2, 3]] * 3
    forget(package)
    assert answers(run, package) == from_cache
    assert answers(run, package) == from_cache  # what was read for the start before is there


def test_a_start_from_the_disk_reads_what_is_touched_and_not_the_image(package: Path, run: type[Environment]) -> None:
    remember(package)
    few = mappings(run, package)
    for _ in range(8):  # a fast disk answers a start's question by the question itself
        forget(package)
        assert mappings(run, package) > few
        assert page_cache.resident([package / IMAGE]) == 1
        assert page_cache.resident([package / MEMORY]) < 0.4


def test_starts_after_one_from_the_disk_use_what_it_has_read(package: Path, run: type[Environment]) -> None:
    memory = [package / MEMORY]
    forget(package)
    many, read = mappings(run, package), page_cache.resident(memory)
    for _ in range(5):
        assert mappings(run, package) == many
        assert page_cache.resident(memory) <= read + 0.01


def test_an_image_of_which_only_the_head_is_in_the_page_cache_is_restored(
    package: Path, run: type[Environment]
) -> None:
    remember(package)
    expected = answers(run, package)
    for kept in (4096, 65536, 1 << 20):
        forget(package)
        for name in (IMAGE, MEMORY):
            with (package / name).open("rb") as file:
                file.read(kept)
        assert answers(run, package) == expected


@pytest.fixture
def overlaid(package: Path, tmp_path: Path) -> Iterator[Path]:
    """The package below an overlay, as in a container: such file systems answer no question without waiting."""
    if os.geteuid():
        pytest.skip("to mount takes root")
    merged, upper, work = (tmp_path / name for name in ("merged", "upper", "work"))
    for folder in (merged, upper, work):
        folder.mkdir()
    options = f"lowerdir={package},upperdir={upper},workdir={work}"
    done = subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, merged], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no overlay can be mounted here: {done.stderr}")
    try:
        yield merged
    finally:
        subprocess.run(["umount", merged], check=True)


def test_an_overlay_is_asked_in_another_way(package: Path, overlaid: Path, run: type[Environment]) -> None:
    remember(package)
    few = mappings(run, package)
    assert mappings(run, overlaid) == few
    forget(package)
    assert mappings(run, overlaid) > few
    assert page_cache.resident([package / IMAGE]) == 1
    assert page_cache.resident([package / MEMORY]) < 0.4
