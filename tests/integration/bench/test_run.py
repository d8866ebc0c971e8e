"""`pyl bench` from the project to its reports, with a static C program in the place of a compiled package."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from integration.bench.conftest import HANDLERS, PYPROJECT
from integration.projects import COMMAND, environment
from pyl.bench import programs
from pyl.cli import main

pytestmark = pytest.mark.alone

_PROGRAM = """\
import http.client, os, sys
assert sys.argv[1] == "functions.work"
connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
while True:
    connection.request("GET", "/2018-06-01/runtime/invocation/next")
    response = connection.getresponse()
    event, request = response.read(), response.headers["Lambda-Runtime-Aws-Request-Id"]
    connection.request("POST", f"/2018-06-01/runtime/invocation/{request}/response", event)
    connection.getresponse().read()
"""


def _bench(project: Path, *arguments: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main(["bench", "--project", str(project), "--no-build", "--rounds", "6", "--seconds", "2", *arguments])
    return int(stop.value.code or 0)


@pytest.fixture(scope="module")
def report(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The JSON of one run, with the other two reports beside it."""
    folder = tmp_path_factory.mktemp("reports")
    file = folder / "report.json"
    outputs = ["--json", str(file), "--html", str(folder / "report.html"), "--markdown", str(folder / "report.md")]
    assert _bench(project, *outputs) == 0
    return file


def _series(file: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(file.read_text())["series"]
    return found


def test_every_variant_is_measured_with_both_states_of_the_page_cache(report: Path) -> None:
    cold = {(item["variant"], item["condition"]) for item in _series(report) if item["measure"] == "cold_start"}
    variants = {"interpreted", "native", "native-plain", "floor"} | {variant for variant, _ in cold}
    assert cold == {(name, f"page cache {state}") for name in variants for state in ("warm", "cold")}
    assert all(len(item["samples"]) == 6 for item in _series(report) if item["measure"] == "cold_start")


def test_an_interpreter_starts_later_and_takes_more_memory_than_a_c_program(report: Path) -> None:
    middle = {
        (item["variant"], item["measure"]): item["median"]
        for item in _series(report)
        if item["condition"] == "page cache warm"
    }
    for measure in ("cold_start", "peak_memory", "minor_faults"):
        assert middle["interpreted", measure] > 3 * middle["native", measure]


def test_the_other_reports_show_the_same_case(report: Path) -> None:
    assert "## work" in report.with_suffix(".md").read_text()
    assert "<h2>work</h2>" in report.with_suffix(".html").read_text()


def test_a_bad_variant_fails_the_run_and_not_the_others(project: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad"
    bad.write_text("#!/bin/sh\necho I am broken\nexit 7\n")
    bad.chmod(0o755)
    file = tmp_path / "report.json"
    assert _bench(project, "--variant", f"bad={bad}", "--json", str(file)) == 1
    (failure,) = json.loads(file.read_text())["failures"]
    assert (failure["variant"], failure["log"]) == ("bad", "I am broken\n")
    assert {"interpreted", "native"} <= {item["variant"] for item in _series(file)}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_writes_the_report_of_what_was_measured(
    project: Path, tmp_path: Path, number: int, code: int
) -> None:
    outputs = ["--json", tmp_path / "r.json", "--html", tmp_path / "r.html", "--markdown", tmp_path / "r.md"]
    command = [*COMMAND, "bench", "--project", project, "--no-build", "--rounds", "6", *outputs]
    with subprocess.Popen(
        list(map(str, command)), env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr
        for line in process.stderr:
            if "page cache warm" in line:
                process.send_signal(number)
                break
        process.stderr.read()
        assert process.wait() == code
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["notes"][0].startswith("this report is partial: it was interrupted")
    assert {item["condition"] for item in report["series"]} >= {"page cache warm"}
    assert "its own event" not in {item["condition"] for item in report["series"]}
    assert "this report is partial" in (tmp_path / "r.md").read_text()
    assert "this report is partial" in (tmp_path / "r.html").read_text()


def test_a_further_variant_is_measured_beside_the_others(project: Path, tmp_path: Path) -> None:
    program = tmp_path / "program"
    shutil.copy(programs.baseline_runtime() / "bootstrap", program)
    file = tmp_path / "report.json"
    assert _bench(project, "--variant", f"go={program}", "--json", str(file)) == 0
    assert "go" in {item["variant"] for item in _series(file)}


def test_a_variant_of_the_configuration_is_measured_by_its_command(project: Path, tmp_path: Path) -> None:
    mine = Path(shutil.copytree(project, tmp_path / "work"))
    (mine / "bench").mkdir()
    (mine / "bench" / "main.py").write_text(_PROGRAM)
    with (mine / "pyproject.toml").open("a") as configuration:
        command = ["python3", "-S", "{task}/main.py", "{handler}"]
        configuration.write(f'\n[tool.pyl.bench.script]\npath = "bench"\ncommand = {json.dumps(command)}\n')
    file = tmp_path / "report.json"
    assert _bench(mine, "--json", str(file)) == 0
    report = json.loads(file.read_text())
    assert "script" in {item["variant"] for item in report["series"]}
    assert report["variants"]["script"].startswith("python3 -S")


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('path = "nothing"', "there is nothing at"),
        ('path = "."', "no file `bootstrap`"),
        ('command = ["no-such-program"]', "not on PATH"),
    ],
)
def test_a_variant_that_is_not_there_is_told_before_anything_is_measured(
    project: Path, tmp_path: Path, lines: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = Path(shutil.copytree(project, tmp_path / "work"))
    with (mine / "pyproject.toml").open("a") as configuration:
        configuration.write(f"\n[tool.pyl.bench.mine]\n{lines}\n")
    assert _bench(mine) == 2
    assert words in capsys.readouterr().err


def test_a_seeded_regression_fails_the_comparison(
    project: Path, report: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    earlier = json.loads(report.read_text())
    for item in earlier["series"]:
        if (item["variant"], item["measure"]) == ("native", "peak_memory"):
            item["samples"] = [sample / 10 for sample in item["samples"]]
    old = tmp_path / "old.json"
    old.write_text(json.dumps(earlier))
    assert _bench(project, "--compare", str(old), "--fail-on-regression") == 1
    assert "worse  work, native, peak memory" in capsys.readouterr().out


def test_a_missing_package_is_told_with_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    (tmp_path / "handlers.py").write_text(HANDLERS)
    (tmp_path / "event.json").write_text("{}")
    assert _bench(tmp_path) == 2
    assert "--no-build" in capsys.readouterr().err
