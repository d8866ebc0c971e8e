"""Looks at what deploying needs: boto3, a region, credentials that AWS takes, and what they allow."""

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
from pyl.doctor.permissions import Permissions, needed, resource_of
from pyl.errors import PylError
from pyl.project import examine as examine_project
from pyl.project.config.region import default_region
from pyl.project.model import Function, Project

_finding = functools.partial(Finding, area=Area.AWS)

_ATTEMPTS = 2
"""Somebody waits for the answer."""

_ANYWHERE = "us-east-1"
"""Credentials are the same in every region."""


def examine(directory: Path, environ: Mapping[str, str]) -> Iterator[Finding]:
    """boto3, the region, the credentials, the permissions; each needs those before it."""
    project = examine_project(directory, environ=environ).project
    boto3 = _boto3()
    yield boto3
    region = project.configuration.region if project else default_region(environ)
    yield _region(region, project)
    if boto3.status is not Status.OK:
        yield _skipped("credentials", "boto3 would look for them")
        return
    try:
        aws = connect(region=region or _ANYWHERE, environ=environ, attempts=_ATTEMPTS)
        with aws.errors("find credentials"):
            credentials = aws.session.get_credentials()
    except PylError as error:
        yield _failed("credentials", error)
        return
    if credentials is None:
        fix = "`aws configure`, `aws sso login`, or set AWS_PROFILE; docs/aws.md tells of the rest"
        yield _finding(name="credentials", status=Status.FAILED, found="none", fix=fix)
        return
    try:
        with aws.errors("ask AWS whose credentials these are"):
            identity = aws.identity
    except PylError as error:
        yield _failed("credentials", error)
        return
    found = f"{identity.arn}, by {credentials.method}"
    yield _finding(name="credentials", status=Status.OK, found=found)
    yield _permissions(aws, project)


def _boto3() -> Finding:
    try:
        import boto3  # noqa: F401

        return _finding(name="boto3", status=Status.OK, found=importlib.metadata.version("boto3"))
    except ImportError as error:
        fix = "pip install 'pyl[deploy]'"
        return _finding(name="boto3", status=Status.FAILED, found=f"{error.name} is missing", fix=fix)


def _region(region: str | None, project: Project | None) -> Finding:
    if region is None:
        fix = 'write region = "eu-central-1" into [tool.pyl], or set AWS_REGION'
        return _finding(name="region", status=Status.FAILED, found="none", fix=fix)
    return _finding(name="region", status=Status.OK, found=f"{region}{f', of {project.name}' if project else ''}")


def _skipped(name: str, why: str) -> Finding:
    return _finding(name=name, status=Status.SKIPPED, found=why)


def _failed(name: str, error: PylError) -> Finding:
    return _finding(name=name, status=Status.FAILED, found=error.message, fix=error.hint or "see docs/aws.md")


def _permissions(aws: AWS, project: Project | None) -> Finding:
    """As IAM's own simulation has it; where that is not allowed, only that functions can be listed is known."""
    arn = aws.identity.arn
    if arn.endswith(":root"):
        fix = "make a user or a role for deployments: docs/aws.md"
        found = "the account's root user may do everything"
        return _finding(name="permissions", status=Status.WARNING, found=found, fix=fix)
    groups = needed(project.functions if project else ())
    count = sum(len(permissions.actions) for permissions, _ in groups)
    try:
        with aws.errors("simulate the caller's policies"):
            source = _principal(aws, arn)
            denied = [
                action
                for permissions, function in groups
                for action in _denied(
                    aws, source, permissions, resource_of(permissions, function, _place(aws, project, function))
                )
            ]
    except Refused as refused:
        return _listing(aws, refused)
    except PylError as error:
        return _failed("permissions", error)
    if denied:
        fix = "have them allowed: docs/aws.md has the policies"
        found = f"not allowed: {', '.join(dict.fromkeys(denied))}"
        return _finding(name="permissions", status=Status.FAILED, found=found, fix=fix)
    return _finding(name="permissions", status=Status.OK, found=f"{count} actions allowed")


def _principal(aws: AWS, arn: str) -> str:
    """The user or role whose policies count: that of a session is the role that was assumed."""
    kind, _, rest = arn.split(":", 5)[5].partition("/")
    if kind != "assumed-role":
        return arn
    role = aws.client("iam").get_role(RoleName=rest.partition("/")[0])  # its ARN has the path, the session's has not
    return str(role["Role"]["Arn"])


def _place(aws: AWS, project: Project | None, function: Function | None) -> dict[str, str]:
    """What stands in ARNs for the function, or for any."""
    owner = owner_of(project) if project else Owner(project="pyl")
    name = function.name if function else "pyl"
    given = function.configuration.deployment.role if function else None
    return {
        "partition": aws.identity.partition,
        "region": aws.region,
        "account": aws.account,
        "function": owner.function_name(name),
        "role": given.partition(":role/")[2] if given else owner.name(name),
    }


def _denied(aws: AWS, source: str, permissions: Permissions, resource: str) -> list[str]:
    answer: dict[str, Any] = aws.client("iam").simulate_principal_policy(
        PolicySourceArn=source,
        ActionNames=list(permissions.actions),
        ResourceArns=[resource],
    )
    return [result["EvalActionName"] for result in answer["EvaluationResults"] if result["EvalDecision"] != "allowed"]


def _listing(aws: AWS, refused: Refused) -> Finding:
    try:
        with aws.errors("list functions"):
            aws.client("lambda").list_functions(MaxItems=1)
    except PylError as error:
        return _failed("permissions", error)
    found = f"functions can be listed; the rest cannot be told without iam:SimulatePrincipalPolicy ({refused.code})"
    fix = "nothing, if you can deploy; else see docs/aws.md for what that takes"
    return _finding(name="permissions", status=Status.WARNING, found=found, fix=fix)
