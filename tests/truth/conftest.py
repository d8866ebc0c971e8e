"""What the cases share: a package base, shared captures, and the table `build/truth.md` of a run."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import pytest
from _pytest.reports import TestReport
from _pytest.terminal import TerminalReporter

from integration.image import packages
from truth.captures import Captured, capture_cases
from truth.case import Case
from truth.registry import SHARES, share_of
from truth.report import write_report
from truth.verdicts import names_line

_RESULT = "truth"


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker of the cases that continuous integration runs."""
    config.addinivalue_line("markers", "chosen: a case of `make test-truth` that continuous integration runs")


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package without functions around this Python."""
    return packages.make_base(tmp_path_factory.mktemp("base") / "package")


class Captures:
    """Takes images of cases; those of cases that share a package are taken once."""

    def __init__(self, base: Path, folder: Path) -> None:
        """Keep the packages below `folder`."""
        self._base = base
        self._folder = folder
        self._numbers = itertools.count()
        self._shared: dict[str, Captured] = {}
        self._taken: set[int] = set()

    def shared(self, case: Case) -> Captured | None:
        """Return the package that a case shares with others, or None if it has one of its own."""
        share = share_of(case)
        if share is not None and share not in self._taken:
            self._taken.add(share)
            self._share(SHARES[share])
        return self._shared.get(case.name)

    def _share(self, cases: Sequence[Case]) -> None:
        """Take an image of several cases; where it is not full, another one of those that are not to blame."""
        if len(cases) < 2:
            return
        captured = self._capture(cases)
        blamed = cases if captured.result.kind == "full" else [c for c in cases if names_line(c, captured.result)]
        self._shared |= {case.name: captured for case in blamed}
        others = [case for case in cases if case not in blamed]
        middle = 0 if blamed else len(others) // 2
        self._share(others[:middle])
        self._share(others[middle:])

    def single(self, case: Case) -> Captured:
        """Return a new package of a case alone."""
        return self._capture([case])

    def _capture(self, cases: Sequence[Case]) -> Captured:
        return capture_cases(self._base, self._folder / str(next(self._numbers)), cases)


@pytest.fixture(scope="session")
def captures(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Captures:
    """The images of this process's cases."""
    return Captures(base, tmp_path_factory.mktemp("packages"))


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    """Print how many cases hold, and write the table."""
    reports = [
        report
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, ())
        if isinstance(report, TestReport) and report.when == "call"
    ]
    rows = {str(value): report for report in reports for name, value in report.user_properties if name == _RESULT}
    if not rows:
        return
    table = config.rootpath / "build" / "truth.md"
    terminalreporter.section("the image and the plain start")
    for line in write_report(table, list(rows)):
        terminalreporter.line(line)
    terminalreporter.line(f"table: {table.relative_to(config.rootpath)}")
