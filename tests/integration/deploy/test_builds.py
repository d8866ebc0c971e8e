"""`pyl deploy` builds what it deploys: each package once, and the same bytes again."""

from __future__ import annotations

from pathlib import Path

from integration.deploy.conftest import TWO
from integration.deploy.local_aws import REGION, LocalAWS, run_here
from integration.deploy.test_functions import function, sha256
from integration.projects import Done, write_project


def deploy(local_aws: LocalAWS, project: Path) -> Done:
    return run_here("deploy", "--yes", "--project", project, "--region", REGION, **local_aws.environment)


def test_functions_of_two_architectures_get_packages_of_their_own(local_aws: LocalAWS, tmp_path: Path) -> None:
    project = write_project(
        tmp_path / "shop", TWO, configuration='[tool.pyl.functions.other]\narchitecture = "arm64"\n'
    )
    deploy(local_aws, project).succeeded()
    packages = {"hello": project / "build/pyl/interpreted.zip", "other": project / "build/pyl/arm64/interpreted.zip"}
    architectures = {"hello": "x86_64", "other": "arm64"}
    for name, package in packages.items():
        configuration = function(local_aws, name)["Configuration"]
        assert configuration["Architectures"] == [architectures[name]]
        assert configuration["CodeSha256"] == sha256(package)
    assert sha256(packages["hello"]) != sha256(packages["other"])
    local_aws.calm()
    done = deploy(local_aws, project).succeeded()
    assert local_aws.writes == []
    assert "Everything is up to date." in done.out


def test_a_project_that_cannot_be_built_is_not_deployed(local_aws: LocalAWS, tmp_path: Path) -> None:
    project = write_project(tmp_path / "shop", TWO, dependencies=["./nowhere"])
    done = deploy(local_aws, project)
    assert done.code == 3
    assert local_aws.writes == []


def test_wrong_credentials_are_told_before_anything_is_built(local_aws: LocalAWS, tmp_path: Path) -> None:
    project = write_project(tmp_path / "shop", TWO)
    without = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "")
    done = run_here("deploy", "--yes", "--project", project, **(local_aws.environment | without))
    assert done.code == 5
    assert "Install dependencies" not in done.err
    assert not (project / "build").exists()
