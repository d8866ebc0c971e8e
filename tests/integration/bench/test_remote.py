"""`pyl bench --remote` against a local AWS with recorded answers: what it counts, and that nothing is left there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from integration.bench.recorded_lambda import RECORDED, Invoked, RecordedLambda, recorded, variant_of
from integration.deploy.local_aws import (
    EXPIRED,
    LOST_ANSWER,
    RESET,
    THROTTLED,
    Call,
    Fault,
    LocalAWS,
    moto_server,
    proxied,
)
from integration.projects import COMMAND, Done, environment, run
from pyl.bench.remote.measurement import ROUND

pytestmark = pytest.mark.alone

VARIANTS = ("interpreted", "native", "native-plain", "floor")


@dataclass(frozen=True)
class Cloud:
    """The local AWS, and Lambda's recorded answers before it."""

    aws: LocalAWS
    recorded: RecordedLambda

    @property
    def variables(self) -> dict[str, str]:
        return self.aws.environment | {"AWS_ENDPOINT_URL": self.recorded.url}

    def left(self) -> list[str]:
        """What is in the account."""
        functions = [one["FunctionName"] for one in self.aws.client("lambda").list_functions()["Functions"]]
        roles = [one["RoleName"] for one in self.aws.client("iam").list_roles()["Roles"]]
        groups = [one["logGroupName"] for one in self.aws.client("logs").describe_log_groups()["logGroups"]]
        return functions + roles + groups


@pytest.fixture(scope="module")
def server() -> Iterator[LocalAWS]:
    with moto_server() as url, proxied(url) as local:
        yield local


@pytest.fixture
def cloud(server: LocalAWS) -> Iterator[Cloud]:
    server.forget()
    with recorded(server.url) as answers:
        yield Cloud(server, answers)
    server.calm()


def bench(cloud: Cloud, project: Path, *arguments: str | Path, rounds: int = 6) -> Done:
    command = ["bench", "--remote", "--no-build", "--project", str(project), "--rounds", str(rounds), "--seconds", "1"]
    return run(*command, *arguments, **cloud.variables)


def series(report: dict[str, Any], variant: str, measure: str) -> dict[str, Any]:
    (found,) = (item for item in report["series"] if (item["variant"], item["measure"]) == (variant, measure))
    return dict(found)


@dataclass(frozen=True)
class Ran:
    """A whole run, and what the account saw of it."""

    done: Done
    folder: Path
    report: dict[str, Any]
    invoked: list[Invoked]
    left: list[str]


@pytest.fixture(scope="module")
def ran(server: LocalAWS, project: Path, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = tmp_path_factory.mktemp("reports")
    outputs: list[str | Path] = ["--json", folder / "r.json", "--html", folder / "r.html"]
    outputs += ["--markdown", folder / "r.md"]
    server.forget()
    with recorded(server.url) as answers:
        cloud = Cloud(server, answers)
        done = bench(cloud, project, *outputs).succeeded()
        return Ran(done, folder, json.loads((folder / "r.json").read_text()), answers.invoked, cloud.left())


def test_a_run_reports_what_lambda_reported(ran: Ran) -> None:
    assert {item["variant"] for item in ran.report["series"]} == set(VARIANTS)
    init = series(ran.report, "native", "remote_init")
    known = {line.partition("Init Duration: ")[2].partition(" ")[0] for line in RECORDED["native"]["cold"]}
    assert {f"{sample:.2f}" for sample in init["samples"]} <= known
    assert (len(init["samples"]), init["condition"]) == (6, "512 MB")
    whole = series(ran.report, "native", "remote_cold_start")["samples"]
    first = series(ran.report, "native", "remote_first")["samples"]
    assert whole == pytest.approx([a + b for a, b in zip(init["samples"], first, strict=True)])
    assert "AWS Lambda in eu-central-1" in (ran.folder / "r.md").read_text()
    assert "times faster cold start on AWS" in (ran.folder / "r.html").read_text()


def test_a_run_leaves_nothing_and_shows_no_secret(ran: Ran) -> None:
    assert ran.left == []
    written = "".join(file.read_text() for file in ran.folder.iterdir())
    assert "do-not-show-this" not in ran.done.out + ran.done.err + written


def test_variants_take_turns_in_an_order_that_changes(ran: Ran) -> None:
    colds = [variant_of(one.function) for one in ran.invoked if one.cold]
    rounds = [tuple(colds[place : place + 4]) for place in range(0, len(colds), 4)]
    assert all(set(one) == set(VARIANTS) for one in rounds)
    assert len(set(rounds)) > 1


def test_functions_get_their_variables_and_a_change_that_guards_do_not_see(ran: Ran) -> None:
    assert {one.variables["TABLE"] for one in ran.invoked} == {"orders"}
    assert ROUND.startswith("LAMBDA_")
    cold = [one.variables[ROUND] for one in ran.invoked if one.cold]
    assert len(set(cold)) == len(cold)


def test_every_memory_size_that_is_named_is_measured(cloud: Cloud, project: Path, tmp_path: Path) -> None:
    bench(cloud, project, "--memory", "128", "--memory", "1024", "--json", tmp_path / "r.json").succeeded()
    report = json.loads((tmp_path / "r.json").read_text())
    assert {item["condition"] for item in report["series"]} == {"128 MB", "1024 MB"}
    assert {one.memory for one in cloud.recorded.invoked} == {128, 1024}


def test_cold_and_warm_are_never_mixed(cloud: Cloud, project: Path, tmp_path: Path) -> None:
    """Every fifth invocation is the other way round than expected."""
    cloud.recorded.starts_afresh = lambda _, number, expected: not expected if number % 5 == 4 else expected
    bench(cloud, project, "--json", tmp_path / "r.json").succeeded()
    report = json.loads((tmp_path / "r.json").read_text())
    for variant in VARIANTS:
        assert min(series(report, variant, "remote_init")["samples"]) > 5
        assert max(series(report, variant, "remote_warm")["samples"]) < 3
    assert any("not counted" in note for note in report["notes"])


def test_a_variant_that_never_starts_afresh_fails_and_the_others_go_on(
    cloud: Cloud, project: Path, tmp_path: Path
) -> None:
    cloud.recorded.starts_afresh = lambda function, _, expected: expected and not function.endswith("-floor")
    done = bench(cloud, project, "--memory", "128", "--memory", "256", "--json", tmp_path / "r.json")
    assert done.code == 1
    report = json.loads((tmp_path / "r.json").read_text())
    (failure,) = report["failures"]  # once: it is not tried again with the other memory size
    assert failure["variant"] == "floor"
    assert "no init" in failure["reason"]
    assert {item["variant"] for item in report["series"]} == {"interpreted", "native", "native-plain"}
    assert cloud.left() == []


def test_a_variant_that_reports_an_error_fails_and_the_others_go_on(
    cloud: Cloud, project: Path, tmp_path: Path
) -> None:
    error = {"errorType": "KeyError", "errorMessage": "'TABLE'"}
    cloud.recorded.fails = lambda function, number: error if function.endswith("-native") and number == 30 else None
    assert bench(cloud, project, "--json", tmp_path / "r.json").code == 1
    (failure,) = json.loads((tmp_path / "r.json").read_text())["failures"]
    assert (failure["variant"], "KeyError" in failure["reason"]) == ("native", True)
    assert "some output" in failure["log"]


def _signalled(cloud: Cloud, project: Path, number: signal.Signals, *arguments: str | Path) -> subprocess.Popen[str]:
    command = [*COMMAND, "bench", "--remote", "--no-build", "--project", str(project), *map(str, arguments)]
    return subprocess.Popen(
        command, env=environment(**cloud.variables), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_leaves_nothing_and_reports_what_was_measured(
    cloud: Cloud, project: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """Again and again while it is deleting, too."""
    file = tmp_path / "r.json"
    arguments = ["--rounds", "6", "--seconds", "1", "--memory", "128", "--memory", "256", "--json", str(file)]
    process = _signalled(cloud, project, number, *arguments)

    def interrupt(_: int) -> None:
        if {one.memory for one in cloud.recorded.invoked} == {128, 256}:
            os.kill(process.pid, number)

    def again(call: Call, _: int) -> Fault | None:
        return Fault(lead=lambda: os.kill(process.pid, number)) if "DELETE" in call.operation else None

    cloud.recorded.before = interrupt
    cloud.aws.decide = again
    _, err = process.communicate()
    assert process.returncode == code, err
    assert "this takes a few seconds" in err
    assert cloud.left() == []
    report = json.loads(file.read_text())
    assert {item["condition"] for item in report["series"]} == {"128 MB"}
    assert "partial" in report["notes"][0]


def test_an_interrupt_while_functions_are_made_leaves_nothing(cloud: Cloud, project: Path) -> None:
    for place in (1, 4, 8):
        cloud.aws.forget()
        process = _signalled(cloud, project, signal.SIGINT)
        made = 0

        def interrupt(call: Call, _: int, place: int = place, process: subprocess.Popen[str] = process) -> Fault | None:
            nonlocal made
            made += call.is_write
            if call.is_write and made == place:
                return Fault(lead=lambda: os.kill(process.pid, signal.SIGINT))
            return None

        cloud.aws.decide = interrupt
        _, err = process.communicate()
        assert process.returncode == 130, err
        assert cloud.left() == []


@pytest.mark.parametrize("fault", [THROTTLED, RESET, LOST_ANSWER], ids=["throttled", "reset", "answer lost"])
def test_a_fault_at_any_call_that_makes_something_leaves_nothing(cloud: Cloud, project: Path, fault: Fault) -> None:
    """Once: what AWS's client tries again by itself; the answers that it lost are of things that exist."""
    seen: set[str] = set()

    def once(call: Call, _: int) -> Fault | None:
        kind = str(call).rsplit("-", 1)[0]
        if not call.is_write or kind in seen:
            return None
        seen.add(kind)
        return fault

    cloud.aws.decide = once
    bench(cloud, project).succeeded()
    assert len(seen) > 5
    assert cloud.left() == []


def test_what_aws_refuses_is_told_and_leaves_nothing(cloud: Cloud, project: Path) -> None:
    refused = Fault(403, "AccessDeniedException", "not authorized to perform: lambda:CreateFunction")
    made: list[str] = []

    def third(call: Call, _: int) -> Fault | None:
        if call.operation.startswith("POST /2015-03-31/functions"):
            made.append(call.operation)
        return refused if len(made) == 3 and call.operation == made[-1] else None

    cloud.aws.decide = third
    done = bench(cloud, project)
    assert done.code == 5
    assert "lambda:CreateFunction" in done.err
    assert "run the command again: it continues" not in done.err
    assert cloud.left() == []


def test_what_cannot_be_deleted_is_named(cloud: Cloud, project: Path) -> None:
    cloud.aws.decide = lambda call, _: EXPIRED if call.operation.startswith("DELETE") else None
    done = bench(cloud, project)
    assert done.code == 5
    left = [name for name in cloud.left() if name.startswith("pyl-bench-")]
    functions = [name for name in left if name.endswith(VARIANTS)]
    assert len(functions) >= 4
    assert all(name in done.err for name in functions)
