"""What is deployed is listed, read, rolled back and deleted, by tags and never more than pyl's own."""

from __future__ import annotations

import datetime as dt
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from integration.deploy.local_aws import REGION, LocalAWS, run_here
from integration.projects import COMMAND, HELLO, Done, environment, write_project

ALIAS = '[tool.pyl.functions.hello]\nalias = "live"\nlog_retention = 7\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "shop").mkdir()
    return write_project(tmp_path / "shop", {"app.py": HELLO}, configuration=ALIAS)


def run(local_aws: LocalAWS, command: str, project: Path, *arguments: str | Path) -> Done:
    return run_here(command, *arguments, "--project", project, "--region", REGION, **local_aws.environment)


def deploy(local_aws: LocalAWS, project: Path, package: Path) -> None:
    run(local_aws, "deploy", project, "--yes", "--package", package).succeeded()


def functions(local_aws: LocalAWS) -> list[str]:
    return [each["FunctionName"] for each in local_aws.client("lambda").list_functions()["Functions"]]


def foreign_function(local_aws: LocalAWS, name: str, **tags: str) -> None:
    role = local_aws.client("iam").create_role(RoleName=f"of-{name}", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    local_aws.client("lambda").create_function(
        FunctionName=name, Role=role, Runtime="python3.11", Handler="a.b", Code={"ZipFile": b"x"}, Tags=tags
    )


def test_what_is_deployed_is_listed(local_aws: LocalAWS, project: Path, package: Path) -> None:
    before = run(local_aws, "list", project).succeeded().out
    assert before == "hello  not in AWS: run `pyl deploy` to create it\n"
    deploy(local_aws, project, package)
    (row,) = run(local_aws, "list", project, "--json").succeeded().json
    assert (row["function"], row["in_project"], row["deployed"], row["memory"]) == ("hello", True, True, 512)
    assert row["aliases"] == {"live": "1"}
    text = run(local_aws, "list", project).succeeded().out.splitlines()
    assert "512 MB  10 s" in text[0]
    assert text[1].strip() == "alias live: version 1"


def test_functions_that_the_code_no_longer_has_are_listed_and_deleted(
    local_aws: LocalAWS, project: Path, package: Path
) -> None:
    deploy(local_aws, project, package)
    (project / "app.py").write_text(HELLO.replace("hello", "welcome"))
    (project / "pyproject.toml").write_text('[project]\nname = "shop"\n[tool.pyl]\n')
    rows = {row["function"]: row for row in run(local_aws, "list", project, "--json").succeeded().json}
    assert (rows["hello"]["in_project"], rows["welcome"]["deployed"]) == (False, False)
    assert "run `pyl delete hello` to delete it" in run(local_aws, "list", project).out
    run(local_aws, "delete", project, "hello", "--yes").succeeded()
    assert functions(local_aws) == []
    assert local_aws.client("iam").list_roles()["Roles"] == []


def test_only_what_pyl_made_for_this_project_is_deleted(local_aws: LocalAWS, project: Path, package: Path) -> None:
    deploy(local_aws, project, package)
    foreign_function(local_aws, "by-hand")
    foreign_function(local_aws, "of-another", **{"pyl:project": "warehouse"})
    local_aws.client("logs").create_log_group(logGroupName="/aws/lambda/by-hand")
    done = run(local_aws, "delete", project, "--yes").succeeded()
    assert [line for line in done.out.splitlines() if line.startswith("-")] == [
        "- remove function hello",
        "- remove role shop-hello",
        "- remove log group /aws/lambda/hello",
    ]
    assert sorted(functions(local_aws)) == ["by-hand", "of-another"]
    assert sorted(each["RoleName"] for each in local_aws.client("iam").list_roles()["Roles"]) == [
        "of-by-hand",
        "of-of-another",
    ]
    groups = [each["logGroupName"] for each in local_aws.client("logs").describe_log_groups()["logGroups"]]
    assert groups == ["/aws/lambda/by-hand"]


def test_a_function_of_the_same_name_that_pyl_did_not_make_stays(local_aws: LocalAWS, project: Path) -> None:
    foreign_function(local_aws, "hello")
    done = run(local_aws, "delete", project, "hello", "--yes").succeeded()
    assert "Nothing to delete: pyl created none of these for shop in eu-central-1." in done.err
    assert functions(local_aws) == ["hello"]
    assert local_aws.writes == []


def test_nothing_is_deleted_without_a_yes(local_aws: LocalAWS, project: Path, package: Path) -> None:
    deploy(local_aws, project, package)
    local_aws.calls.clear()
    done = run(local_aws, "delete", project)
    assert done.code == 2
    assert "confirm it with --yes" in done.err
    run(local_aws, "delete", project, "--dry-run").succeeded()
    assert local_aws.writes == []
    assert functions(local_aws) == ["hello"]


def test_logs_are_kept_where_that_is_asked_for(local_aws: LocalAWS, project: Path, package: Path) -> None:
    deploy(local_aws, project, package)
    run(local_aws, "delete", project, "--yes", "--keep-logs").succeeded()
    assert functions(local_aws) == []
    assert len(local_aws.client("logs").describe_log_groups()["logGroups"]) == 1
    assert "log group" in run(local_aws, "delete", project, "--yes").succeeded().out


def test_a_removal_that_was_interrupted_is_completed(local_aws: LocalAWS, project: Path, package: Path) -> None:
    deploy(local_aws, project, package)
    local_aws.client("lambda").delete_function(FunctionName="hello")
    (project / "app.py").write_text(HELLO.replace("hello", "welcome"))
    (project / "pyproject.toml").write_text('[project]\nname = "shop"\n[tool.pyl]\n')
    run(local_aws, "delete", project, "--yes").succeeded()
    assert local_aws.client("iam").list_roles()["Roles"] == []
    assert local_aws.client("logs").describe_log_groups()["logGroups"] == []


def test_an_alias_is_rolled_back_and_deployed_again(
    local_aws: LocalAWS, project: Path, package: Path, other_package: Path
) -> None:
    def version() -> str:
        number: str = local_aws.client("lambda").get_alias(FunctionName="hello", Name="live")["FunctionVersion"]
        return number

    deploy(local_aws, project, package)
    alone = run(local_aws, "rollback", project, "hello", "--yes")
    assert (alone.code, version()) == (5, "1")
    assert "hello has no version before 1" in alone.err
    deploy(local_aws, project, other_package)
    assert version() == "2"
    done = run(local_aws, "rollback", project, "hello", "--yes", "--json").succeeded()
    assert done.json == {"name": "hello", "alias": "live", "version": "1", "applied": True}
    assert version() == "1"
    run(local_aws, "rollback", project, "hello", "--to", "2", "--yes").succeeded()
    assert version() == "2"
    wrong = run(local_aws, "rollback", project, "hello", "--to", "9", "--yes")
    assert (wrong.code, version()) == (5, "2")
    assert "hello has no version 9" in wrong.err
    assert "its versions are 1, 2" in wrong.err


def test_without_an_alias_there_is_nothing_to_roll_back(local_aws: LocalAWS, project: Path) -> None:
    (project / "pyproject.toml").write_text('[project]\nname = "shop"\n[tool.pyl]\n')
    done = run(local_aws, "rollback", project, "hello", "--yes")
    assert done.code == 2
    assert 'alias = "live"' in done.err


def log(local_aws: LocalAWS, message: str, *, minutes_ago: float = 0, stream: str = "2026/10/29/[$LATEST]1") -> None:
    client, group = local_aws.client("logs"), "/aws/lambda/hello"
    streams = client.describe_log_streams(logGroupName=group)["logStreams"]
    if stream not in {each["logStreamName"] for each in streams}:
        client.create_log_stream(logGroupName=group, logStreamName=stream)
    then = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=minutes_ago)
    event = {"timestamp": int(then.timestamp() * 1000), "message": f"{message}\n"}
    client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[event])


def test_logs_are_printed_in_the_order_of_time_from_all_streams(
    local_aws: LocalAWS, project: Path, package: Path
) -> None:
    deploy(local_aws, project, package)
    log(local_aws, "third", minutes_ago=1)
    log(local_aws, "second", minutes_ago=2, stream="2026/10/29/[$LATEST]2")
    log(local_aws, "first", minutes_ago=90)
    recent = run(local_aws, "logs", project, "hello").succeeded().out.splitlines()
    assert [line.split(" ", 1)[1] for line in recent] == ["second", "third"]
    more = run(local_aws, "logs", project, "hello", "--since", "2h").succeeded().out.splitlines()
    assert [line.split(" ", 1)[1] for line in more] == ["first", "second", "third"]
    found = run(local_aws, "logs", project, "hello", "--since", "2h", "--filter", "second", "--json").succeeded()
    assert found.json["message"] == "second"
    assert found.json["stream"] == "2026/10/29/[$LATEST]2"


def test_a_function_that_logged_nothing_has_no_lines(local_aws: LocalAWS, project: Path, package: Path) -> None:
    never = run(local_aws, "logs", project, "hello").succeeded()
    assert (never.out, never.err) == ("", "the log group /aws/lambda/hello does not exist yet\n")
    deploy(local_aws, project, package)
    silent = run(local_aws, "logs", project, "hello").succeeded()
    assert (silent.out, silent.err) == ("", "no events in /aws/lambda/hello since 10m\n")


@pytest.mark.parametrize("since", ["yesterday", "10", "999999w", "2026-13-01"])
def test_a_wrong_time_is_refused(local_aws: LocalAWS, project: Path, since: str) -> None:
    done = run(local_aws, "logs", project, "hello", "--since", since)
    assert (done.code, done.out) == (2, "")
    assert f"--since {since} is not a time" in done.err


def test_an_unknown_function_is_told_with_what_was_meant(local_aws: LocalAWS, project: Path) -> None:
    done = run(local_aws, "logs", project, "helo")
    assert done.code == 2
    assert "did you mean hello?" in done.err


def test_following_prints_each_line_once_until_it_is_stopped(local_aws: LocalAWS, project: Path, package: Path) -> None:
    deploy(local_aws, project, package)
    log(local_aws, "before")
    arguments = [*COMMAND, "logs", "hello", "--follow", "--project", str(project), "--region", REGION]
    variables: dict[str, Any] = environment(**local_aws.environment)
    with subprocess.Popen(
        arguments, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().endswith("before\n")
        log(local_aws, "after")
        assert process.stdout.readline().endswith("after\n")
        polls = len(local_aws.calls)
        while len(local_aws.calls) < polls + 2:
            time.sleep(0.1)
        process.terminate()  # as Ctrl-C, which is ignored below background jobs of a shell
        assert process.stdout.read() == ""
        assert process.stderr.read() == ""
        assert process.wait() == 143
