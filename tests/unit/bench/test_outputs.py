"""Markdown and HTML show the same figures, and the page loads no other resources."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from benchmarks import targets
from pyl.bench import markdown, page, views
from pyl.bench.figures import WARM, Failure
from unit.bench.reports import report, samples, whole


def test_the_markdown_table_has_a_cell_for_every_variant_and_ratio() -> None:
    lines = [line for line in markdown.write(whole()).splitlines() if line.startswith("| cold start [ms]")]
    assert len(lines) == 1
    cells = [cell.strip() for cell in lines[0].strip("|").split("|")]
    assert len(cells) == 1 + 5 + 2
    assert re.fullmatch(r"\d+(\.\d+)? x \(.+ to .+\)", cells[-1])


def test_markdown_cells_keep_the_table_whole() -> None:
    failure = Failure(case="hello", variant="x", condition=WARM, reason="said | this\nand that")
    text = markdown.write(replace(whole(), failures=(failure,)))
    assert "said \\| this and that" in text


class _References(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.urls: list[str] = []
        self.svgs = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.svgs += tag == "svg"
        names = {"src", "href", "xlink:href", "data", "action"}
        self.urls += [value or "" for name, value in attrs if name in names and not (value or "").startswith("#")]
        assert tag not in {"script", "iframe", "link", "object", "embed"}


def test_the_page_loads_nothing_from_anywhere() -> None:
    text = page.write(whole())
    parser = _References()
    parser.feed(text)
    assert parser.urls == []
    assert parser.svgs == 4
    assert "@import" not in text
    assert not re.search(r"url\((?!#)", text)


def test_the_plots_take_their_ink_from_the_page() -> None:
    drawn = "".join(re.findall(r"<svg.*?</svg>", page.write(whole()), re.DOTALL))
    assert "currentColor" in drawn
    assert "#000000" not in drawn
    assert "#010203" not in drawn


def test_the_same_report_gives_the_same_page() -> None:
    assert page.write(whole()) == page.write(whole())


def test_failures_and_targets_are_on_the_page_as_text() -> None:
    failure = Failure(case="hello", variant="go", condition=WARM, reason="<b>boom</b>", log="panic: <nil>")
    failed_report = replace(whole(), failures=(failure,))
    text = page.write(replace(failed_report, targets=targets.judge(failed_report)))
    assert "&lt;b&gt;boom&lt;/b&gt;" in text
    assert "panic: &lt;nil&gt;" in text
    assert "the case growth was not part of this run" in text


def test_a_report_of_one_variant_without_figures_of_the_others_is_written() -> None:
    alone = report({("mine", "interpreted", "cold_start", WARM): samples(50.0)})
    assert "50" in markdown.write(alone)
    assert "mine" in page.write(alone)


def test_growth_is_drawn() -> None:
    samples_by_series = {
        ("growth", variant, "cold_start", f"{count} modules"): samples(middle, count)
        for variant, middle in (("interpreted", 60.0), ("native", 0.6))
        for count in (0, 100, 2000)
    }
    assert "imported modules" in page.write(report(samples_by_series))


def test_growth_by_size_is_drawn_beside_it() -> None:
    samples_by_series = {
        ("growth", variant, "cold_start", condition): samples(middle, number)
        for variant, middle in (("interpreted", 60.0), ("native", 0.6))
        for number, condition in enumerate(("0 modules", "500 modules", "10 MB more", "150 MB more"))
    }
    text = page.write(report(samples_by_series))
    assert "imported modules" in text
    assert "MB more in the package" in text


def test_workloads_are_drawn() -> None:
    samples_by_series = {
        ("compute", variant, "warm_p50", workload): samples(middle, number)
        for variant, middle in (("interpreted", 0.6), ("native", 0.4))
        for number, workload in enumerate(("numbers", "text"))
    }
    text = page.write(report(samples_by_series))
    assert "warm invocation p50, ms" in text
    assert len(re.findall("<svg", text)) == 1


def test_a_report_of_aws_is_written_with_its_own_words() -> None:
    samples_by_series = {
        ("hello", variant, measure, f"{size} MB"): samples(middle, size)
        for variant, middle in (("interpreted", 90.0), ("native", 11.0))
        for measure in ("remote_cold_start", "remote_init", "remote_memory")
        for size in (128, 512)
    }
    machine = {"lambda": "AWS Lambda in eu-central-1, x86_64", "python": "3.11.7", "pyl": "0.1.0", "commit": None}
    remote_report = report(samples_by_series, machine=machine)
    text = page.write(remote_report)
    assert "times faster cold start on AWS" in text
    assert "native, 128 MB" in text
    assert "native, 512 MB" in text
    assert "Init Duration" in markdown.write(remote_report)
    assert "page cache" not in markdown.write(remote_report).lower()
    assert "AWS Lambda in eu-central-1" in markdown.write(remote_report)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.02345, "0.023"), (0.5, "0.500"), (1.234, "1.23"), (12.34, "12.3"), (123.4, "123"), (4226.0, "4226")],
)
def test_numbers_have_about_three_digits(value: float, text: str) -> None:
    assert views.number(value) == text
