"""Measures variants in turns: one of each per round, in an order shuffled anew, until the medians are known well."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Self

from pyl.bench import statistics
from pyl.bench.driver import Driver, Start
from pyl.bench.figures import Failure
from pyl.bench.variants import NATIVE, Variant
from pyl.errors import EngineError
from pyl.project.model import Function

LOG_SHOWN = 2000
"""Bytes of a failed program's output that a report keeps."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How often to repeat."""

    least: int = 10
    most: int = 60
    precision: float = 0.03
    """Enough when half of every median's interval is at most this part of it."""
    seconds: float = 60.0
    """No further round begins after this time, once the least number is done."""

    def within(self, limits: Plan) -> Plan:
        """This plan, going no further than `limits`."""
        most = min(self.most, limits.most)
        return replace(self, least=min(self.least, most), most=most, seconds=min(self.seconds, limits.seconds))


def launcher_warning(log: bytes) -> str | None:
    """The line with which a native package's launcher says why it did not continue the image."""
    for line in log.splitlines():
        if b'"pyl.launcher"' in line:
            try:
                said = json.loads(line)
                return f"{said['message']} ({said['guard']})" if "guard" in said else str(said["message"])
            except (ValueError, KeyError, TypeError):
                return line.decode("utf-8", "replace")
    return None


class Lineup:
    """The variants of one case, each standing ready in its own file tree; a context manager.

    A variant that fails once leaves: its `Failure` is kept, and the others go on.
    """

    def __init__(self, case: str, variants: Sequence[Variant], function: Function, *, region: str | None) -> None:
        self.case = case
        self.failures: list[Failure] = []
        self.remarks: dict[str, None] = {}
        """What launchers said of images that they did not use, once each."""
        self._waiting = [Driver(variant, function, region=region) for variant in variants]
        self._ready: list[Driver] = []
        self._stack = ExitStack()
        self._order = random.Random(case)  # noqa: S311 - an order, no secret; repeatable

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._ready = [stack.enter_context(driver) for driver in self._waiting]
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stack.close()

    @property
    def variants(self) -> list[Variant]:
        """Those that have not failed."""
        return [driver.variant for driver in self._ready]

    def measure(
        self,
        condition: str,
        take: Callable[[Driver], list[Start]],
        plan: Plan,
        *,
        watch: Callable[[Start], float],
        tell: Callable[[str], None] = lambda _: None,
    ) -> dict[str, list[Start]]:
        """Call `take` for every variant, round after round; `watch` is the figure whose precision ends it.

        The first round is not counted: it fills caches for all alike.
        """
        begun = time.monotonic()
        taken: dict[str, list[Start]] = {driver.variant.name: [] for driver in self._ready}
        for number in range(plan.most + 1):
            tell(f"{condition}, round {number} of {plan.least} to {plan.most}")
            for driver in self._order.sample(self._ready, len(self._ready)):
                starts = self._take(driver, condition, take)
                if number:
                    taken[driver.variant.name] += starts
            if number >= plan.least and (
                time.monotonic() - begun > plan.seconds or self._is_precise(taken, watch, plan.precision)
            ):
                break
        return {driver.variant.name: taken[driver.variant.name] for driver in self._ready}

    def _take(self, driver: Driver, condition: str, take: Callable[[Driver], list[Start]]) -> list[Start]:
        try:
            starts = take(driver)
        except EngineError as error:
            self._dismiss(driver, condition, error.message, b"")
            return []
        for start in starts:
            if start.failure:
                self._dismiss(driver, condition, start.failure, start.log)
                return []
            self._remark(driver, start)
        return starts

    def _remark(self, driver: Driver, start: Start) -> None:
        """A native package that could not use its image answers all the same, later: a reader must know."""
        if driver.variant.name == NATIVE and (said := launcher_warning(start.log)):
            self.remarks.setdefault(f"{self.case}: {NATIVE} did not start from its full image: {said}")

    def _dismiss(self, driver: Driver, condition: str, reason: str, log: bytes) -> None:
        self._ready = [other for other in self._ready if other is not driver]
        text = log[-LOG_SHOWN:].decode("utf-8", "replace")
        self.failures.append(
            Failure(case=self.case, variant=driver.variant.name, condition=condition, reason=reason, log=text)
        )

    def _is_precise(self, taken: dict[str, list[Start]], watch: Callable[[Start], float], precision: float) -> bool:
        names = [driver.variant.name for driver in self._ready]
        return all(statistics.median([watch(start) for start in taken[name]]).precision <= precision for name in names)
