"""Measures deployed contenders in turns: one forced cold start each per round, then warm invocations of the same.

A cold start is forced by a change of the configuration, and only counted where Lambda itself reports an init;
a warm invocation only where it reports none.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyl.bench import statistics
from pyl.bench.figures import Failure, Series
from pyl.bench.remote import report_lines
from pyl.bench.remote.report_lines import Invocation
from pyl.bench.remote.throwaway import Throwaway
from pyl.bench.rounds import LOG_SHOWN, Plan
from pyl.deploy.aws import AWS
from pyl.deploy.functions import wait_until_ready
from pyl.progress import Progress

ROUND = "LAMBDA_PYL_BENCH_ROUND"
"""The variable whose change makes Lambda start afresh. By its name the guards of images take it for Lambda's own."""

_FORCED = 4
"""Changes that are tried until Lambda reports an init."""

_MEASURES: dict[str, Callable[[Invocation], float]] = {
    "remote_cold_start": lambda invocation: (invocation.init or 0.0) + invocation.duration,
    "remote_init": lambda invocation: invocation.init or 0.0,
    "remote_first": lambda invocation: invocation.duration,
    "remote_billed": lambda invocation: invocation.billed,
    "remote_memory": lambda invocation: invocation.memory,
}
"""Of a cold start."""


class Misbehaved(Exception):
    """A contender did not answer as it should."""

    def __init__(self, reason: str, log: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.log = log


@dataclass
class Taken:
    """What a contender has yielded."""

    cold: list[Invocation] = field(default_factory=list)
    warm: list[list[Invocation]] = field(default_factory=list)
    """Round by round."""


@dataclass
class Remote:
    """The contenders of one case, until they fail."""

    aws: AWS
    case: str
    throwaways: Sequence[Throwaway]
    event: bytes
    progress: Progress
    warm: int
    """Warm invocations after each cold start."""
    failures: list[Failure] = field(default_factory=list)
    not_counted: int = 0
    """Invocations that were cold where they should be warm, or the other way round."""

    def measure(self, megabytes: int, plan: Plan) -> list[Series]:
        """Rounds with this memory size until the medians are known well; the first is not counted."""
        condition = f"{megabytes} MB"
        failed = {failure.variant for failure in self.failures}
        ready = [throwaway for throwaway in self.throwaways if throwaway.contender.name not in failed]
        taken = {throwaway.contender.name: Taken() for throwaway in ready}
        order = random.Random(f"{self.case} {megabytes}")  # noqa: S311 - an order, no secret; repeatable
        begun = time.monotonic()
        for number in range(plan.most + 1):
            self.progress.detail(f"{condition}, round {number} of {plan.least} to {plan.most}")
            for throwaway in order.sample(ready, len(ready)):
                try:
                    cold, warm = self._round(throwaway, megabytes)
                except Misbehaved as error:
                    ready.remove(throwaway)
                    self._fail(throwaway, condition, error)
                    continue
                if number:
                    taken[throwaway.contender.name].cold.append(cold)
                    taken[throwaway.contender.name].warm.append(warm)
            names = [throwaway.contender.name for throwaway in ready]
            late = time.monotonic() - begun > plan.seconds
            if number >= plan.least and (late or all(_is_precise(taken[name], plan.precision) for name in names)):
                break
        return [series for throwaway in ready for series in self._series(throwaway, condition, taken)]

    def _round(self, throwaway: Throwaway, megabytes: int) -> tuple[Invocation, list[Invocation]]:
        cold = self._cold(throwaway, megabytes)
        following = [self._invoke(throwaway) for _ in range(self.warm)]
        warm = [invocation for invocation in following if not invocation.is_cold]
        self.not_counted += len(following) - len(warm)
        return cold, warm

    def _cold(self, throwaway: Throwaway, megabytes: int) -> Invocation:
        for _ in range(_FORCED):
            self._change(throwaway, megabytes)
            invocation = self._invoke(throwaway)
            if invocation.is_cold:
                return invocation
            self.not_counted += 1
        msg = f"Lambda reported no init after {_FORCED} changes of its configuration"
        raise Misbehaved(msg)

    def _change(self, throwaway: Throwaway, megabytes: int) -> None:
        variables = {**throwaway.variables, ROUND: str(time.time_ns())}
        with self.aws.errors(f"change {throwaway.name}"):
            self.aws.client("lambda").update_function_configuration(
                FunctionName=throwaway.name, MemorySize=megabytes, Environment={"Variables": variables}
            )
            wait_until_ready(self.aws, self.progress, throwaway.name)

    def _invoke(self, throwaway: Throwaway) -> Invocation:
        with self.aws.errors(f"invoke {throwaway.name}"):
            answer: dict[str, Any] = self.aws.client("lambda").invoke(
                FunctionName=throwaway.name, LogType="Tail", Payload=self.event
            )
            body = answer["Payload"].read()
        log = answer.get("LogResult", "")
        if error := answer.get("FunctionError"):
            msg = f"it reported an error ({error}): {body[:300].decode('utf-8', 'replace')}"
            raise Misbehaved(msg, report_lines.text(log))
        invocation = report_lines.read(log)
        if invocation is None:
            msg = "its log tail holds no REPORT line"
            raise Misbehaved(msg, report_lines.text(log))
        return invocation

    def _fail(self, throwaway: Throwaway, condition: str, failed: Misbehaved) -> None:
        name = throwaway.contender.name
        self.failures.append(
            Failure(
                case=self.case, variant=name, condition=condition, reason=failed.reason, log=failed.log[-LOG_SHOWN:]
            )
        )
        self.progress.note(f"{self.case}: {name} failed and is left out: {failed.reason}")

    def _series(self, throwaway: Throwaway, condition: str, taken: dict[str, Taken]) -> list[Series]:
        name = throwaway.contender.name

        def series(measure: str, samples: Sequence[float]) -> Series:
            return Series(case=self.case, variant=name, measure=measure, condition=condition, samples=tuple(samples))

        found = [series(measure, [of(one) for one in taken[name].cold]) for measure, of in _MEASURES.items()]
        rounds = [statistics.quantile([one.duration for one in warm], 0.5) for warm in taken[name].warm if warm]
        if rounds:
            found.append(series("remote_warm", rounds))
        return [item for item in found if item.samples]


def _is_precise(taken: Taken, precision: float) -> bool:
    return statistics.median([_MEASURES["remote_cold_start"](one) for one in taken.cold]).precision <= precision
