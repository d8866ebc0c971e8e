"""Lambda's figures are read from the end of an invocation's log."""

from __future__ import annotations

import base64

import pytest

from pyl.bench.remote import report_lines
from pyl.bench.remote.report_lines import Invocation

COLD = (
    "REPORT RequestId: 8f507cfc-xmpl-4697-b07a-ac58fc914c95\tDuration: 3.16 ms\tBilled Duration: 122 ms\t"
    "Memory Size: 512 MB\tMax Memory Used: 35 MB\tInit Duration: 118.04 ms\t"
)
WARM = (
    "REPORT RequestId: 8f507cfc-xmpl-4697-b07a-ac58fc914c95\tDuration: 1.04 ms\tBilled Duration: 2 ms\t"
    "Memory Size: 512 MB\tMax Memory Used: 36 MB\t"
)
TRACED = "XRAY TraceId: 1-5e34a614-10bdxmplf1fb44f07bc535a1\tSegmentId: 07f5xmpl2d1f6f85\tSampled: true\t"


def read(*lines: str) -> Invocation | None:
    return report_lines.read(base64.b64encode("\n".join(lines).encode()).decode())


def test_a_cold_invocation_has_an_init() -> None:
    invocation = read("START RequestId: x", "END RequestId: x", COLD)
    assert invocation == Invocation(duration=3.16, billed=122, memory=35, init=118.04)
    assert invocation.is_cold


def test_a_warm_invocation_has_none() -> None:
    invocation = read(WARM, "")
    assert invocation == Invocation(duration=1.04, billed=2, memory=36, init=None)
    assert not invocation.is_cold


def test_the_trace_that_may_follow_is_no_matter() -> None:
    assert read(COLD, TRACED) == read(COLD)


def test_what_the_function_prints_is_not_taken_for_the_report() -> None:
    assert read("REPORT RequestId: mine\tDuration: 0.01 ms\tInit Duration: 1 ms", WARM) == read(WARM)
    assert read("the last REPORT RequestId: x\tDuration: 9 ms", WARM) == read(WARM)


@pytest.mark.parametrize(
    "text", ["", "START RequestId: x", "REPORT RequestId: x\tDuration: 3 ms", WARM.partition("Max")[0]]
)
def test_a_log_without_a_whole_report_is_none(text: str) -> None:
    assert read(text) is None
