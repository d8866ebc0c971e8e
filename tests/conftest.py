"""Settings of the whole suite: what skipped tests mean, and how many examples hypothesis generates.

A test that is skipped for want of a tool is reported loudly, and fails CI. `pytest --hypothesis-profile=thorough`
generates 500 examples instead of 25, where a test does not fix the number.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from _pytest.reports import CollectReport, TestReport
    from _pytest.terminal import TerminalReporter

settings.register_profile("quick", max_examples=25, deadline=None)
settings.register_profile("thorough", max_examples=500, deadline=None)
settings.load_profile("quick")

_EXPECTED_SKIPS = (
    # A combination of parameters that means nothing.
    "`pyl build` refuses such a function",
    "a package with such a function has no full image",
    "the table is part of a built package",
    "a process image holds the modules of all functions",
    "what a compiled module imports for itself is not the runtime's doing",
    "that is what the trigger sends",
    # Python, processor and engine: other machines of the matrix run these.
    "the syntax of Python 3.",
    "this processor has no AVX-512",
    "this machine runs programs of that processor",
    # Asked for by a target of its own.
    "takes long: make test-",
)
"""Reasons of skips that no installation could avoid. Every other skip means that this machine lacks something."""

_MISSING_TOOL = ("not installed", "there is no ", "needs the ", "is installed by", "is not here", "came without")
"""In the reason of a skip: something for .ci/run to install. Other reasons name what a kernel or file system denies."""


def _reason(report: TestReport | CollectReport) -> str:
    if isinstance(report.longrepr, tuple):
        return report.longrepr[2].removeprefix("Skipped: ")
    return str(report.longrepr)


def _lacking(reporter: TerminalReporter) -> dict[str, list[str]]:
    """Return the tests that were skipped because something is missing, by what is missing."""
    tests: dict[str, list[str]] = {}
    for report in reporter.stats.get("skipped", ()):
        reason = _reason(report)
        if not hasattr(report, "wasxfail") and not any(expected in reason for expected in _EXPECTED_SKIPS):
            tests.setdefault(reason, []).append(report.nodeid)
    return tests


@pytest.hookimpl(tryfirst=True)
def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Report what this machine lacks; see `pytest_sessionfinish` for CI."""
    tests = _lacking(terminalreporter)
    if not tests:
        return
    total = sum(map(len, tests.values()))
    terminalreporter.section(f"{total} tests did not run: this machine lacks something", red=True, bold=True)
    for reason, names in tests.items():
        terminalreporter.line(f"{len(names):4} x {reason.splitlines()[0]} ({names[0]})")
    if os.environ.get("CI") == "true":
        terminalreporter.line("In CI no tool may be missing: install it in .ci/run.")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail CI when a test was skipped for want of a tool."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    is_controller = not hasattr(session.config, "workerinput")
    if os.environ.get("CI") != "true" or not is_controller or reporter is None:
        return
    if any(tool in reason for reason in _lacking(reporter) for tool in _MISSING_TOOL):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
