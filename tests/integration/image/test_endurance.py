"""One image restored again and again, and one restored process that serves for long.

Few of each in the ordinary suite; `make test-endurance` sets PYL_RESTORES and PYL_INVOCATIONS, and prints what it saw.
"""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path

from integration.image.lambda_environment import Environment
from integration.image.packages import CaptureHandlers

RESTORES = int(os.environ.get("PYL_RESTORES", "60"))
INVOCATIONS = int(os.environ.get("PYL_INVOCATIONS", "5000"))
TENTHS = 10

SOURCE = """
import json, random, ssl, uuid
first = uuid.uuid4(), random.random(), ssl.RAND_bytes(8)
cache = {}
def handler(event, context) -> None:
    cache[event % 50] = [str(n) * 3 for n in range(200)]
    return json.loads(json.dumps({"n": event, "text": "x" * 500}))["n"]
def unique(event, context) -> None:
    return [uuid.uuid4().hex, random.random(), ssl.RAND_bytes(8).hex()]
"""


def test_every_restore_of_one_image_answers_and_no_two_alike(captured: CaptureHandlers, run: type[Environment]) -> None:
    package, _ = captured(SOURCE, "handler", "unique")
    seen: list[set[str]] = [set(), set(), set()]
    for number in range(RESTORES):
        with run(package, "unique") as environment:
            for answers, answer in zip(seen, environment.invoke(number), strict=True):
                answers.add(str(answer))
            assert environment.notices == []
    assert [len(answers) for answers in seen] == [RESTORES] * 3
    print(f"\n{RESTORES} restores: all answered, no value twice")


def resident(process: int) -> int:
    """kB in memory."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def test_memory_stays_flat_over_many_invocations(captured: CaptureHandlers, run: type[Environment]) -> None:
    package, _ = captured(SOURCE, "handler", "unique")
    with run(package) as environment:
        for number in range(2000):
            assert environment.invoke(number) == number
        memory, latency = [resident(environment.process.pid)], []
        for _ in range(TENTHS):
            times = []
            for number in range(INVOCATIONS // TENTHS):
                begun = time.perf_counter()
                environment.invoke(number)
                times.append(time.perf_counter() - begun)
            memory.append(resident(environment.process.pid))
            latency.append(statistics.median(times) * 1e6)
        assert memory[-1] - memory[0] < 1024
    told = ", ".join(f"{microseconds:.0f}" for microseconds in latency)
    print(f"\n{INVOCATIONS} invocations: resident {memory[0]} to {memory[-1]} kB; median us of each tenth: {told}")
