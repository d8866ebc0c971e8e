"""The world that a captured program sees: Lambda's, with one instance's own facts.

The proof that an image holds nothing of its instance is a second run in another world: everything that differs between
instances differs, and everything else is answered as in the first run.
"""

from __future__ import annotations

import copy
import os
import secrets
import time
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from pyl.lambda_facts import SCOPES, Deployment, Instance, Scope, lambda_variables

PROCESS_ID_OFFSET = 0x2000_0000
"""Added to the process ids that a program is told. No kernel gives such ids (PROCESS_ID_LIMIT), so whatever compares
process ids to notice a fork (OpenSSL's random generator) notices each restore."""

CREDENTIALS = ("ASIACAPTURECAPTURE01", "captureSECRETcaptureSECRETcaptureSECRET1", "capture-token-1" * 20)
"""Made up. Equal in both worlds, since caches and counters of code follow from what warm-up calls sign with. Memory is
searched for them instead."""

_INSTANCES = (
    Instance(
        runtime_api="127.0.0.1:9001",
        log_stream="2000/01/02/[$LATEST]0123456789abcdef0123456789abcdef",
        credentials=CREDENTIALS,
        metadata_token="capture-metadata-token-1",  # noqa: S106 - made up
        host_name="169-254-64-101",
    ),
    Instance(
        runtime_api="127.0.0.1:9402",
        log_stream="2031/11/28/[$LATEST]fedcba9876543210fedcba9876543210",
        credentials=CREDENTIALS,
        metadata_token="elsewhe-metadata-token-2",  # noqa: S106 - made up
        host_name="169-254-91-202",
    ),
)
"""Values of equal lengths: the addresses that a program allocates depend on them."""

_STARTED = Instance(
    runtime_api="127.0.0.1:9001",
    log_stream="2026/05/17/[$LATEST]5f1c9e0b7d3a4826b0e9d1c47fa36582",
    credentials=("ASIASTARTEDSTARTED01", "startedSECRETstartedSECRETstartedSECRET1", "started-token-1" * 20),
    metadata_token="started-metadata-token-1",  # noqa: S106 - made up
    host_name="169-254-77-42",
)
"""The instance that the build starts from a fresh image. Where code remembers what it made of the credentials that it
saw at the build, this one takes the way of any other instance."""

PROCESSORS = "number of processors"
"""Stands among variables for what follows from the memory size."""

_MORE_PROCESSORS = 3
_RANDOM_FILE_BYTES = 65_536
_MICROSECOND = 1_000


@dataclass
class Recording:
    """Answers of one run, for the next one to repeat."""

    clocks: dict[int, deque[int]] = field(default_factory=lambda: defaultdict(deque))
    """Clock to its readings in nanoseconds."""
    random: dict[tuple[str, int], deque[bytes]] = field(default_factory=lambda: defaultdict(deque))
    """Origin and count to the random bytes that were handed out."""


class World:
    """What one run is told."""

    def __init__(
        self,
        deployment: Deployment,
        *,
        configured: Mapping[str, str],
        repeats: World | None = None,
        varied: frozenset[str] = frozenset(),
        same: bool = False,
    ) -> None:
        """Describe a world.

        Args:
            deployment: The function's.
            configured: The project's own variables.
            repeats: The world of an earlier run, of which this one is the other.
            same: Be the world of `repeats` once more.
            varied: Names of further variables of Lambda whose values differ from those of `repeats`, and PROCESSORS if
                their number does.
        """
        self.deployment = deployment
        self.is_other = repeats is not None and not same
        self.instance = _INSTANCES[self.is_other]
        self.processors = deployment.processors + _MORE_PROCESSORS * (PROCESSORS in varied)
        self.process_id_offset = PROCESS_ID_OFFSET + 0x0800_0000 * self.is_other
        self.auxiliary_random: tuple[int, int] = (
            repeats.auxiliary_random if repeats else (secrets.randbits(64), secrets.randbits(64))
        )
        self.random_file: bytes = repeats.random_file if repeats else os.urandom(_RANDOM_FILE_BYTES)
        """What libraries that renew themselves read from `/dev/urandom`."""
        variables = lambda_variables(deployment, self.instance)
        for name in varied & variables.keys():
            if SCOPES[name] is not Scope.INSTANCE:
                variables[name] = _another(variables[name])
        self.variables = {**variables, **configured}
        self.variables_of_a_start = {**lambda_variables(deployment, _STARTED), **configured}
        """Environment of an instance that is started from the image."""
        self._recording = Recording()
        self._repeated = copy.deepcopy(repeats._recording) if repeats else None  # noqa: SLF001 - of the same class
        self._latest_clock: dict[int, int] = {}

    def random_bytes(self, origin: str, count: int, *, kept: bool) -> bytes:
        """Return random bytes.

        Args:
            origin: The library or line that asks.
            count: How many.
            kept: Whether an image may keep them: the other world then repeats those of the first.
        """
        key = (origin, count)
        earlier = self._repeated.random[key] if self._repeated else None
        content = os.urandom(count)
        if earlier:
            repeated = earlier.popleft()
            content = repeated if kept or not self.is_other else content
        self._recording.random[key].append(content)
        return content

    def clock(self, number: int, source: int | None = None) -> int:
        """Return a clock's reading in nanoseconds, from the first world's record as long as that lasts.

        Args:
            number: The clock that the program asks for.
            source: The clock to read for it, if that is another one for this process.
        """
        earlier = self._repeated.clocks[number] if self._repeated else None
        if earlier:
            reading = earlier.popleft()
        else:
            now = time.clock_gettime_ns(number if source is None else source)
            reading = max(now, self._latest_clock.get(number, 0) + _MICROSECOND)
        self._latest_clock[number] = reading
        self._recording.clocks[number].append(reading)
        return reading


def _another(text: str) -> str:
    """Return another text of the same length and kind: digits become other digits, letters other letters."""
    return "".join(
        chr(ord("1") + (ord(letter) - ord("0")) % 9)
        if letter.isdecimal()
        else (chr(ord("a") + (ord(letter) - ord("a") + 7) % 26) if letter.islower() else letter)
        for letter in text
    )
