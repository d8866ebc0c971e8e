"""Tasks run in parallel, and a failure of one is the failure of all."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from pyl.errors import BuildError
from pyl.packaging import parallel
from pyl.process import CommandFailed, run


def test_results_come_in_the_order_of_the_tasks() -> None:
    assert parallel.all_of([partial(int, text) for text in ("1", "2", "3")]) == [1, 2, 3]


def test_a_failure_ends_the_other_programs_and_is_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "_processors", lambda: 2)
    running, ends = threading.Event(), []

    def last() -> None:
        try:
            run(
                [sys.executable, "-c", "print(1, flush=True); import time; time.sleep(60)"],
                on_line=lambda _: running.set(),
            )
        except CommandFailed as failure:
            ends.append(str(failure))
            raise

    def fail() -> None:
        assert running.wait(30)
        msg = "the first failure"
        raise BuildError(msg)

    tasks: list[Callable[[], object]] = [last, fail, partial((tmp_path / "never").write_text, "")]
    with pytest.raises(BuildError, match="the first failure"):
        parallel.all_of(tasks)
    assert ends == [f"{Path(sys.executable).name} ended with signal SIGKILL"]
    assert not (tmp_path / "never").exists()


def test_what_would_start_after_the_end_is_ended_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "_processors", lambda: 2)
    failed, ends = threading.Event(), []

    def late() -> None:
        assert failed.wait(30)
        time.sleep(0.2)  # the failure is on its way to whoever waits
        try:
            run([sys.executable, "-c", "import time; time.sleep(60)"])
        except CommandFailed as failure:
            ends.append(failure.returncode)
            raise

    def fail() -> None:
        failed.set()
        raise BuildError("first")  # noqa: EM101

    with pytest.raises(BuildError, match="first"):
        parallel.all_of([late, fail])
    assert ends == [-9]
