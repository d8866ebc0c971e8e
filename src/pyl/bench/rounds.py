"""Measures variants in turns, each once per round in a random order, until the medians are precise enough."""

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
"""Bytes of a failed program's output that go into the report."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How often to repeat a measurement."""

    least: int = 10
    most: int = 60
    precision: float = 0.03
    """Stop when half the width of every median's interval is at most this part of the median."""
    seconds: float = 60.0
    """No further round begins after this time, once the least number of rounds is done."""

    def within(self, limits: Plan) -> Plan:
        """Return this plan with no more rounds and no more time than `limits`."""
        most = min(self.most, limits.most)
        return replace(self, least=min(self.least, most), most=most, seconds=min(self.seconds, limits.seconds))


def launcher_warning(log: bytes) -> str | None:
    """Return why a native package's launcher did not use the process image, from its log; None if it did."""
    for line in log.splitlines():
        if b'"pyl.launcher"' in line:
            try:
                entry = json.loads(line)
                return f"{entry['message']} ({entry['guard']})" if "guard" in entry else str(entry["message"])
            except (ValueError, KeyError, TypeError):
                return line.decode("utf-8", "replace")
    return None


class Contestants:
    """Context manager with the variants of one case, each ready to run in its own file tree.

    A variant that fails is not measured any further. Its `Failure` is recorded, and the others go on.
    """

    def __init__(self, case: str, variants: Sequence[Variant], function: Function, *, region: str | None) -> None:
        self.case = case
        self.failures: list[Failure] = []
        self.remarks: dict[str, None] = {}
        """Warnings of launchers that did not use their image; each of them once, in order."""
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
        """Variants that have not failed."""
        return [driver.variant for driver in self._ready]

    def measure(
        self,
        condition: str,
        run_variant: Callable[[Driver], list[Start]],
        plan: Plan,
        *,
        watch: Callable[[Start], float],
        on_progress: Callable[[str], None] = lambda _: None,
    ) -> dict[str, list[Start]]:
        """Run every variant, round after round, until the plan is fulfilled.

        The first round is not counted: it fills caches.

        Args:
            condition: Name of the condition in the report.
            run_variant: Called for each variant and round; returns the samples.
            plan: How often to repeat.
            watch: The figure whose precision decides when to stop.
            on_progress: Called with the condition and round that is being measured.

        Returns:
            The samples of each variant that has not failed, by its name.
        """
        begun = time.monotonic()
        starts_by_variant: dict[str, list[Start]] = {driver.variant.name: [] for driver in self._ready}
        for number in range(plan.most + 1):
            on_progress(f"{condition}, round {number} of {plan.least} to {plan.most}")
            for driver in self._order.sample(self._ready, len(self._ready)):
                starts = self._run_variant(driver, condition, run_variant)
                if number:
                    starts_by_variant[driver.variant.name] += starts
            if number >= plan.least and (
                time.monotonic() - begun > plan.seconds or self._is_precise(starts_by_variant, watch, plan.precision)
            ):
                break
        return {driver.variant.name: starts_by_variant[driver.variant.name] for driver in self._ready}

    def _run_variant(self, driver: Driver, condition: str, run_variant: Callable[[Driver], list[Start]]) -> list[Start]:
        try:
            starts = run_variant(driver)
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
        """Record when a native package could not use its image: it still responds, but later."""
        if driver.variant.name == NATIVE and (warning := launcher_warning(start.log)):
            self.remarks.setdefault(f"{self.case}: {NATIVE} did not start from its full image: {warning}")

    def _dismiss(self, driver: Driver, condition: str, reason: str, log: bytes) -> None:
        self._ready = [other for other in self._ready if other is not driver]
        text = log[-LOG_SHOWN:].decode("utf-8", "replace")
        self.failures.append(
            Failure(case=self.case, variant=driver.variant.name, condition=condition, reason=reason, log=text)
        )

    def _is_precise(
        self, starts_by_variant: dict[str, list[Start]], watch: Callable[[Start], float], precision: float
    ) -> bool:
        names = [driver.variant.name for driver in self._ready]
        return all(
            statistics.median([watch(start) for start in starts_by_variant[name]]).precision <= precision
            for name in names
        )
