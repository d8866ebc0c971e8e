"""Checks for deployment: boto3, region, credentials and permissions."""

from __future__ import annotations

import functools
import importlib.metadata
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pyl.deploy.aws import AWS, Refused, connect
from pyl.deploy.desired_state import owner_of
from pyl.deploy.tags import Owner
from pyl.doctor.findings import Area, Finding, Status
from pyl.doctor.permissions import Permissions, required_permissions, resource_of
from pyl.errors import PylError
from pyl.project import examine as examine_project
from pyl.project.config.region import default_region
from pyl.project.model import Function, Project

_finding = functools.partial(Finding, area=Area.AWS)

_ATTEMPTS = 2
"""Fewer than usual, as the user is waiting."""

_ANYWHERE = "us-east-1"
"""Any region: credentials are valid in all."""


def examine(directory: Path, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Check boto3, region, credentials and permissions. Each check requires the ones before it."""
    project = examine_project(directory, environ=environ).project
    boto3 = _boto3()
    yield boto3
    region = project.configuration.region if project else default_region(environ)
    yield _region(region, project)
    if boto3.status is not Status.OK:
        yield _skipped("credentials", "boto3 is required to find them")
        return
    try:
        aws = connect(region=region or _ANYWHERE, environ=environ, attempts=_ATTEMPTS)
        with aws.errors("find credentials"):
            credentials = aws.session.get_credentials()
    except PylError as error:
        yield _failed("credentials", error)
        return
    if credentials is None:
        fix = "run `aws configure` or `aws sso login`, or set AWS_PROFILE; see docs/aws.md"
        yield _finding(name="credentials", status=Status.FAILED, found="none", fix=fix)
        return
    try:
        with aws.errors("check the credentials"):
            identity = aws.identity
    except PylError as error:
        yield _failed("credentials", error)
        return
    detail = f"{identity.arn}, from {credentials.method}"
    yield _finding(name="credentials", status=Status.OK, found=detail)
    yield _permissions(aws, project)


def _boto3() -> Finding:
    try:
        import boto3  # noqa: F401

        return _finding(name="boto3", status=Status.OK, found=importlib.metadata.version("boto3"))
    except ImportError as error:
        fix = "pip install 'pyl[deploy]'"
        return _finding(name="boto3", status=Status.FAILED, found=f"{error.name} is not installed", fix=fix)


def _region(region: str | None, project: Project | None) -> Finding:
    if region is None:
        fix = 'set region = "eu-central-1" in [tool.pyl], or AWS_REGION in the environment'
        return _finding(name="region", status=Status.FAILED, found="none", fix=fix)
    return _finding(name="region", status=Status.OK, found=f"{region}{f', for {project.name}' if project else ''}")


def _skipped(name: str, why: str) -> Finding:
    return _finding(name=name, status=Status.SKIPPED, found=why)


def _failed(name: str, error: PylError) -> Finding:
    return _finding(name=name, status=Status.FAILED, found=error.message, fix=error.hint or "see docs/aws.md")


def _permissions(aws: AWS, project: Project | None) -> Finding:
    """Simulate the caller's policies; if that is not allowed, check only that functions can be listed."""
    arn = aws.identity.arn
    if arn.endswith(":root"):
        fix = "create a user or a role for deployments, see docs/aws.md"
        detail = "these are credentials of the root user, which is allowed everything"
        return _finding(name="permissions", status=Status.WARNING, found=detail, fix=fix)
    groups = required_permissions(project.functions if project else ())
    count = sum(len(permissions.actions) for permissions, _ in groups)
    try:
        with aws.errors("simulate the caller's policies"):
            source = _principal(aws, arn)
            denied = [
                action
                for permissions, function in groups
                for action in _denied(
                    aws, source, permissions, resource_of(permissions, function, _arn_fields(aws, project, function))
                )
            ]
    except Refused as refused:
        return _check_listing(aws, refused)
    except PylError as error:
        return _failed("permissions", error)
    if denied:
        fix = "get permission for them; docs/aws.md has the policies"
        detail = f"not allowed: {', '.join(dict.fromkeys(denied))}"
        return _finding(name="permissions", status=Status.FAILED, found=detail, fix=fix)
    return _finding(name="permissions", status=Status.OK, found=f"{count} actions allowed")


def _principal(aws: AWS, arn: str) -> str:
    """Return the ARN of the user or role whose policies apply: for a session, that of the assumed role."""
    kind, _, rest = arn.split(":", 5)[5].partition("/")
    if kind != "assumed-role":
        return arn
    role = aws.client("iam").get_role(RoleName=rest.partition("/")[0])  # the session's ARN lacks the role's path
    return str(role["Role"]["Arn"])


def _arn_fields(aws: AWS, project: Project | None, function: Function | None) -> dict[str, str]:
    """Return the fields of ARNs for the function, or for an example."""
    owner = owner_of(project) if project else Owner(project="pyl")
    name = function.name if function else "pyl"
    role_arn = function.configuration.deployment.role if function else None
    return {
        "partition": aws.identity.partition,
        "region": aws.region,
        "account": aws.account,
        "function": owner.function_name(name),
        "role": role_arn.partition(":role/")[2] if role_arn else owner.name(name),
    }


def _denied(aws: AWS, source: str, permissions: Permissions, resource: str) -> list[str]:
    answer: dict[str, Any] = aws.client("iam").simulate_principal_policy(
        PolicySourceArn=source,
        ActionNames=list(permissions.actions),
        ResourceArns=[resource],
    )
    return [result["EvalActionName"] for result in answer["EvaluationResults"] if result["EvalDecision"] != "allowed"]


def _check_listing(aws: AWS, refused: Refused) -> Finding:
    try:
        with aws.errors("list functions"):
            aws.client("lambda").list_functions(MaxItems=1)
    except PylError as error:
        return _failed("permissions", error)
    detail = f"functions can be listed; checking more requires iam:SimulatePrincipalPolicy ({refused.code})"
    fix = "nothing if you can deploy; otherwise, see docs/aws.md for the permissions"
    return _finding(name="permissions", status=Status.WARNING, found=detail, fix=fix)
