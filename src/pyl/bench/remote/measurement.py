"""Measures deployed variants in turns: in each round, one forced cold start each, followed by warm invocations.

A change of the function's configuration forces the cold start. A cold start counts only if Lambda reports an init,
a warm invocation only if Lambda reports none.
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
"""Environment variable whose change makes Lambda start a fresh environment.

Its name begins with `LAMBDA_`, so the guards of process images treat it as one of Lambda's own.
"""

_FORCED = 4
"""How many changes to try until Lambda reports an init."""

_MEASURES: dict[str, Callable[[Invocation], float]] = {
    "remote_cold_start": lambda invocation: (invocation.init or 0.0) + invocation.duration,
    "remote_init": lambda invocation: invocation.init or 0.0,
    "remote_first": lambda invocation: invocation.duration,
    "remote_billed": lambda invocation: invocation.billed,
    "remote_memory": lambda invocation: invocation.memory,
}
"""Measures of a cold start."""


class InvocationFailed(Exception):
    """A variant reported an error, or its log has no REPORT line."""

    def __init__(self, reason: str, log: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.log = log


@dataclass
class Samples:
    """Invocations of one variant with one memory size."""

    cold: list[Invocation] = field(default_factory=list)
    warm: list[list[Invocation]] = field(default_factory=list)
    """One list for each round."""


@dataclass
class Remote:
    """Measures the deployed variants of one case. A variant that fails is left out from then on."""

    aws: AWS
    case: str
    throwaways: Sequence[Throwaway]
    event: bytes
    progress: Progress
    warm: int
    """Warm invocations after each cold start."""
    failures: list[Failure] = field(default_factory=list)
    not_counted: int = 0
    """Number of invocations that were cold but should be warm, or warm but should be cold."""

    def measure(self, megabytes: int, plan: Plan) -> list[Series]:
        """Measure with one memory size until the medians are precise enough. The first round is not counted."""
        condition = f"{megabytes} MB"
        failed = {failure.variant for failure in self.failures}
        ready = [throwaway for throwaway in self.throwaways if throwaway.variant_package.name not in failed]
        samples_by_variant = {throwaway.variant_package.name: Samples() for throwaway in ready}
        order = random.Random(f"{self.case} {megabytes}")  # noqa: S311 - an order, no secret; repeatable
        begun = time.monotonic()
        for number in range(plan.most + 1):
            self.progress.detail(f"{condition}, round {number} of {plan.least} to {plan.most}")
            for throwaway in order.sample(ready, len(ready)):
                try:
                    cold, warm = self._round(throwaway, megabytes)
                except InvocationFailed as error:
                    ready.remove(throwaway)
                    self._fail(throwaway, condition, error)
                    continue
                if number:
                    samples_by_variant[throwaway.variant_package.name].cold.append(cold)
                    samples_by_variant[throwaway.variant_package.name].warm.append(warm)
            names = [throwaway.variant_package.name for throwaway in ready]
            late = time.monotonic() - begun > plan.seconds
            precise = (_is_precise(samples_by_variant[name], plan.precision) for name in names)
            if number >= plan.least and (late or all(precise)):
                break
        return [series for throwaway in ready for series in self._series(throwaway, condition, samples_by_variant)]

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
        raise InvocationFailed(msg)

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
            raise InvocationFailed(msg, report_lines.text(log))
        invocation = report_lines.read(log)
        if invocation is None:
            msg = "its log tail has no REPORT line"
            raise InvocationFailed(msg, report_lines.text(log))
        return invocation

    def _fail(self, throwaway: Throwaway, condition: str, failed: InvocationFailed) -> None:
        name = throwaway.variant_package.name
        self.failures.append(
            Failure(
                case=self.case, variant=name, condition=condition, reason=failed.reason, log=failed.log[-LOG_SHOWN:]
            )
        )
        self.progress.note(f"{self.case}: {name} failed and is not measured any further: {failed.reason}")

    def _series(self, throwaway: Throwaway, condition: str, samples_by_variant: dict[str, Samples]) -> list[Series]:
        name = throwaway.variant_package.name

        def series(measure: str, samples: Sequence[float]) -> Series:
            return Series(case=self.case, variant=name, measure=measure, condition=condition, samples=tuple(samples))

        samples = samples_by_variant[name]
        measured = [series(measure, [of(one) for one in samples.cold]) for measure, of in _MEASURES.items()]
        medians = [statistics.quantile([one.duration for one in warm], 0.5) for warm in samples.warm if warm]
        if medians:
            measured.append(series("remote_warm", medians))
        return [item for item in measured if item.samples]


def _is_precise(samples: Samples, precision: float) -> bool:
    return statistics.median([_MEASURES["remote_cold_start"](one) for one in samples.cold]).precision <= precision
