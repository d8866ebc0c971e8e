"""A package describes the AWS services that `aws_services` names, and no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyl.errors import BuildError, ConfigurationError
from pyl.packaging import aws_services
from pyl.project import load_project
from pyl.project.model import Project

SERVICES = ("dynamodb", "ec2", "s3", "signin", "sqs", "sso", "sso-oidc", "sts")


def project(folder: Path, setting: str, code: str = "") -> Project:
    (folder / "pyproject.toml").write_text(f'[project]\nname = "p"\nversion = "1"\n[tool.pyl]\n{setting}\n')
    handler = "from pyl import function\n\n@function\ndef f(context, event):\n    ...\n"
    (folder / "handlers.py").write_text(handler + code)
    return load_project(folder, environ={})


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder as dependencies are installed into: both packages, with a file for each service."""
    site = tmp_path / "site"
    for service in SERVICES:
        (site / "botocore" / "data" / service / "2000-01-01").mkdir(parents=True)
        (site / "botocore" / "data" / service / "2000-01-01" / "service-2.json.gz").touch()
    for service in ("dynamodb", "ec2", "s3"):
        (site / "boto3" / "data" / service).mkdir(parents=True)
    (site / "botocore" / "data" / "endpoints.json").touch()
    (tmp_path / "project").mkdir()
    return site


def described(site: Path) -> set[str]:
    return {path.name for path in (site / "botocore" / "data").iterdir()}


def test_what_is_named_stays_with_what_credentials_need(site: Path, tmp_path: Path) -> None:
    aws_services.prune(project(tmp_path / "project", 'aws_services = ["s3", "dynamodb"]'), site)
    assert described(site) == {"dynamodb", "s3", "sts", "sso", "sso-oidc", "signin", "endpoints.json"}
    assert {path.name for path in (site / "boto3" / "data").iterdir()} == {"dynamodb", "s3"}


def test_everything_stays_where_nothing_is_said(site: Path, tmp_path: Path) -> None:
    aws_services.prune(project(tmp_path / "project", ""), site)
    assert described(site) == {*SERVICES, "endpoints.json"}


def test_an_empty_list_leaves_what_credentials_need(site: Path, tmp_path: Path) -> None:
    aws_services.prune(project(tmp_path / "project", "aws_services = []"), site)
    assert described(site) == {*aws_services.CREDENTIALS, "endpoints.json"}


def test_a_package_without_botocore_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "project").mkdir()
    aws_services.prune(project(tmp_path / "project", 'aws_services = ["s3"]'), tmp_path / "site")


def test_an_unknown_service_is_reported_before_anything_is_removed(site: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="names dynamdb, which is not a service of botocore") as caught:
        aws_services.prune(project(tmp_path / "project", 'aws_services = ["s3", "dynamdb"]'), site)
    assert caught.value.hint == "did you mean dynamodb?"
    assert described(site) == {*SERVICES, "endpoints.json"}


@pytest.mark.parametrize(
    "call",
    [
        'boto3.client("sqs")',
        'boto3.resource("sqs", "us-east-1")',
        'boto3.session.Session().client(region_name="us-east-1", service_name="sqs")',
        'boto3.client(service_name="sqs", region_name="us-east-1")',
        'botocore.session.get_session().create_client("sqs")',
    ],
)
def test_code_that_uses_another_service_fails_the_build(site: Path, tmp_path: Path, call: str) -> None:
    with pytest.raises(BuildError, match=r"handlers\.py:6: uses sqs, which `aws_services`") as caught:
        aws_services.prune(project(tmp_path / "project", 'aws_services = ["s3"]', f"queue = {call}\n"), site)
    assert caught.value.hint == 'add "sqs" to `aws_services`'
    assert described(site) == {*SERVICES, "endpoints.json"}


@pytest.mark.parametrize(
    "call", ['boto3.client("s3")', 'boto3.client("sts")', "boto3.client(name)", 'shop.client("me")']
)
def test_other_code_is_no_matter(site: Path, tmp_path: Path, call: str) -> None:
    aws_services.prune(project(tmp_path / "project", 'aws_services = ["s3"]', f"used = {call}\n"), site)
    assert "sqs" not in described(site)
