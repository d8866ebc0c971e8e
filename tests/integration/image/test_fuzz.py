"""Images that are damaged at random: the right answer, or an error that says so; no wrong answer, no hang.

`make fuzz-image` tries more. `PYL_FUZZ` is the number of cases, `PYL_FUZZ_SEED` where they start.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from integration.image import image_fuzzer, packages
from pyl.image.create import capture
from pyl.image.file.names import IMAGE

CASES = int(os.environ.get("PYL_FUZZ", "60"))
SEED = int(os.environ.get("PYL_FUZZ_SEED", "20251201"))
PROCESSES = 2

SOURCE = """
import decimal, json, re, time
imported = time.time()
table = {f"key {number}": number * number for number in range(2000)}
pattern = re.compile(r"(\\w+) (\\d+)")
def handler(event, context):
    return [event, sum(table.values()), pattern.findall("ab 12 cd 34"), str(decimal.Decimal(1) / 7), json.dumps(event)]
"""
EVENT = {"a": [1, 2.5, "text", None]}
EXPECTED = [EVENT, 2664667000, [["ab", "12"], ["cd", "34"]], "0.1428571428571428571428571429"]
EXPECTED.append('{"a": [1, 2.5, "text", null]}')


@pytest.fixture(scope="module")
def package(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fuzzed") / "package"
    package = packages.with_functions(base, folder, {"handlers.py": SOURCE}, {"handler": "handlers:handler"})
    assert capture(package, environment={}).kind == "full"
    outcome = image_fuzzer.start(package, EVENT)
    assert (image_fuzzer.judge(outcome, EXPECTED), outcome.log) == ("right", ""), outcome
    return package


Damage = Callable[[Path, random.Random], str]
Case = tuple[str, str, image_fuzzer.Outcome]
"""What was damaged, the verdict, and how the start ended."""


def fuzz(
    package: Path, folder: Path, damage: Callable[[Path, random.Random], str], first: int, count: int
) -> list[Case]:
    print(f"\n{count} cases; PYL_FUZZ_SEED={first}")
    idle: SimpleQueue[Path] = SimpleQueue()
    for copy in image_fuzzer.copies(package, folder, PROCESSES):
        idle.put(copy)

    def run(seed: int) -> Case:
        copy = idle.get()
        try:
            what = damage(copy, random.Random(seed))
            outcome = image_fuzzer.start(copy, EVENT)
            return f"seed {seed}: {what}", image_fuzzer.judge(outcome, EXPECTED), outcome
        finally:
            image_fuzzer.restore_files(package, copy)
            idle.put(copy)

    with ThreadPoolExecutor(PROCESSES) as pool:
        cases = list(pool.map(run, range(first, first + count)))
    print(dict(Counter(verdict for _, verdict, _ in cases)))
    return cases


def failures_of(cases: list[Case], *verdicts: str) -> list[Any]:
    return [(what, verdict, outcome) for what, verdict, outcome in cases if verdict in verdicts]


def test_damage_of_header_and_tables_never_gives_a_wrong_answer_or_a_hang(package: Path, tmp_path: Path) -> None:
    cases = fuzz(package, tmp_path, lambda copy, seeded: image_fuzzer.damage_header(copy / IMAGE, seeded), SEED, CASES)
    assert failures_of(cases, "wrong answer", "hang", "silent death") == []


def test_a_start_from_damaged_pages_says_why_it_ends(package: Path, tmp_path: Path) -> None:
    cases = fuzz(package, tmp_path, image_fuzzer.damage_pages, SEED, CASES // 3)
    assert failures_of(cases, "silent death") == []
