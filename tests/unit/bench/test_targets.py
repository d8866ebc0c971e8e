"""Targets are judged by the figures, and marked as not measured without them."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.targets import judge
from pyl.bench.figures import WARM, Failure, Verdict
from unit.bench.reports import report, samples, whole


def _verdict(verdicts: tuple[Verdict, ...], case: str, beginning: str, target: str | None = None) -> Verdict:
    return next(
        item
        for item in verdicts
        if item.case == case and item.measure.startswith(beginning) and target in {None, item.target}
    )


def test_a_ratio_beyond_its_bound_is_met() -> None:
    verdict = _verdict(judge(whole()), "hello", "cold start, page cache warm: interpreted")
    assert (verdict.verdict, verdict.words.split(";")[0]) == ("met", "met")
    assert 95 < float(verdict.reached) < 105
    assert verdict.words.endswith("ms / 0.595 ms")


def test_a_ratio_short_of_its_bound_is_missed() -> None:
    verdict = _verdict(judge(whole(factor=3)), "hello", "cold start, page cache warm: interpreted")
    assert verdict.verdict == "missed"
    assert 30 < float(verdict.reached) < 36


def test_an_interval_across_the_bound_is_mentioned() -> None:
    samples_by_series = {
        ("hello", "interpreted", "cold_start", WARM): samples(40.4, 1, size=12, noise=0.2),
        ("hello", "native", "cold_start", WARM): samples(1.0, 2, size=12, noise=0.2),
    }
    words = _verdict(judge(report(samples_by_series)), "hello", "cold start, page cache warm: interpreted").words
    assert "interval" in words


def test_the_baseline_is_static_glibc_and_else_musl_with_a_remark() -> None:
    with_both = _verdict(judge(whole()), "hello", "cold start, page cache warm: native")
    assert 0.9 < float(with_both.reached) < 1.1
    without = replace(whole(), series=tuple(item for item in whole().series if item.variant != "floor-glibc"))
    verdict = _verdict(judge(without), "hello", "cold start, page cache warm: native")
    assert 2.5 < float(verdict.reached) < 3.5
    assert "musl" in verdict.words


def test_growth_is_a_difference_in_milliseconds() -> None:
    samples_by_series = {
        ("growth", "native", "cold_start", "0 modules"): samples(0.6, 1),
        ("growth", "native", "cold_start", "2000 modules"): samples(0.9, 2),
    }
    verdict = _verdict(judge(report(samples_by_series)), "growth", "cold start")
    assert (verdict.target, verdict.verdict) == ("<= +1 ms", "met")
    assert verdict.reached.startswith("+0.")


def test_an_unmeasured_target_names_the_reason() -> None:
    failure = Failure(case="orders", variant="native", condition=WARM, reason="it exited with status 1")
    verdicts = judge(replace(whole(), failures=(failure,)))
    assert _verdict(verdicts, "orders", "cold start").words == "native failed: it exited with status 1"
    assert _verdict(verdicts, "growth", "cold start").words == "the case growth was not part of this run"
    no_image = replace(whole(), series=tuple(item for item in whole().series if item.variant != "native"))
    assert _verdict(judge(no_image), "hello", "cold start").words == "the native package has no process image"


def test_a_package_without_image_meets_no_size_target() -> None:
    assert _verdict(judge(whole()), "hello", "native package").verdict == "met"
    packages = tuple(replace(facts, image="none") for facts in whole().packages)
    assert _verdict(judge(replace(whole(), packages=packages)), "hello", "native package").verdict == "not measured"
    large = tuple(replace(facts, zip_bytes=8_100_000) for facts in whole().packages)
    assert _verdict(judge(replace(whole(), packages=large)), "hello", "native package").verdict == "missed"
