"""A report survives its JSON, and other files are refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pyl.bench import figures
from pyl.bench.figures import Failure
from pyl.errors import UsageError
from unit.bench.reports import whole


def test_a_written_report_can_be_loaded(tmp_path: Path) -> None:
    failure = Failure(case="hello", variant="go", condition="page cache warm", reason="it ended", log="panic")
    report = replace(whole(), failures=(failure,), notes=("a note",))
    file = tmp_path / "report.json"
    file.write_text(json.dumps(report.to_json()))
    loaded = figures.load(file)
    assert loaded.failures == report.failures
    assert loaded.packages == report.packages
    assert loaded.notes == report.notes
    one, other = loaded.series[0], report.series[0]
    assert (one.case, one.variant, one.measure) == (other.case, other.variant, other.measure)
    assert one.samples == pytest.approx(other.samples, rel=1e-5)


def test_the_json_holds_schema_interval_unit_and_every_sample() -> None:
    data = whole().to_json()
    series = data["series"][0]
    assert data["schema"] == 1
    assert series["low"] <= series["median"] <= series["high"]
    assert (series["unit"], len(series["samples"])) == ("ms", 40)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 1}', '{"schema": 99}', '"text"'])
def test_a_file_that_is_no_report_is_refused_by_name(tmp_path: Path, text: str) -> None:
    file = tmp_path / "old.json"
    file.write_text(text)
    with pytest.raises(UsageError, match=r"old\.json"):
        figures.load(file)
