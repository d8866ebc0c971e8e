"""Everything that a project's configuration wants in AWS, as resources; and what it wants no more."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyl.architecture import Architecture
from pyl.deploy import iam_permissions
from pyl.deploy.aws import AWS
from pyl.deploy.code import Code
from pyl.deploy.functions import FunctionResource
from pyl.deploy.invocation import AsynchronousResource, ConcurrencyResource, is_asynchronous_configured
from pyl.deploy.log_groups import LogGroupResource, log_group_reference
from pyl.deploy.plan import Resource
from pyl.deploy.policy import Statement
from pyl.deploy.releases import AliasResource, VersionResource
from pyl.deploy.roles import RoleResource, role_arn, role_reference
from pyl.deploy.settings import desired_settings
from pyl.deploy.tags import Owner
from pyl.deploy.target import Target, make_target
from pyl.deploy.triggers import (
    api_resources,
    find_orphaned_apis,
    find_orphaned_triggers,
    trigger_resources,
    trigger_statements,
)
from pyl.deploy.urls import URLResource
from pyl.packaging.lifecycle import runtime_for
from pyl.project.model import Function, Project


@dataclass(frozen=True, kw_only=True)
class FunctionPackage:
    """The package that a function gets."""

    code: Code
    architecture: Architecture
    runtime: str
    """As the build or configuration has it; Lambda's own calendar may move it on."""


@dataclass(frozen=True, kw_only=True)
class DesiredState:
    """Resources that are to be, and those that are to be no more."""

    targets: tuple[Target, ...]
    resources: tuple[Resource[Any], ...]
    to_delete: tuple[Resource[Any], ...]


def owner_of(project: Project) -> Owner:
    """Whose the project's things in AWS are."""
    return Owner(project=project.name, prefix=project.configuration.prefix)


def targets_of(aws: AWS, project: Project, functions: Sequence[Function]) -> tuple[Target, ...]:
    """Where these functions of the project are."""
    return tuple(make_target(aws, owner_of(project), function) for function in functions)


def statements(target: Target) -> tuple[Statement, ...]:
    """What the role of a function must allow."""
    return (*iam_permissions.statements(target), *trigger_statements(target))


def find_desired_state(
    aws: AWS, project: Project, packages: Mapping[str, FunctionPackage], today: dt.date
) -> DesiredState:
    """What is wanted of the functions that `packages` names."""
    functions = [function for function in project.functions if function.name in packages]
    targets = targets_of(aws, project, functions)
    resources: list[Resource[Any]] = []
    to_delete: list[Resource[Any]] = []
    apis = api_resources(targets)
    for target in targets:
        made, taken = _of_function(target, packages[target.function.name], today)
        triggers = trigger_resources(target)
        resources += [*made, *triggers]
        to_delete += [*taken, *find_orphaned_triggers(aws, target, triggers)]
    to_delete = [*find_orphaned_apis(aws, owner_of(project), to_delete, apis), *to_delete]
    resources = [*apis, *resources]
    return DesiredState(targets=targets, resources=tuple(resources), to_delete=tuple(to_delete))


def _of_function(
    target: Target, package: FunctionPackage, today: dt.date
) -> tuple[list[Resource[Any]], list[Resource[Any]]]:
    role = RoleResource(target=target, statements=statements(target), is_desired=target.settings.role is None)
    function = FunctionResource(
        target=target,
        code=package.code,
        architecture=package.architecture,
        desired=desired_settings(
            target,
            runtime=functools.partial(_runtime, package.runtime, today),
            role=role_arn(target),
        ),
        depends_on=(log_group_reference(target), role_reference(target)),
    )
    resources: list[Resource[Any]] = [LogGroupResource(target=target), function]
    to_delete: list[Resource[Any]] = []
    (to_delete if target.settings.role else resources).append(role)
    if target.settings.alias:
        resources.append(AliasResource(function=function, alias=target.settings.alias))
    elif target.settings.publish:
        resources.append(VersionResource(function=function))
    if target.settings.reserved_concurrency is not None:
        (resources if target.settings.reserved_concurrency >= 0 else to_delete).append(
            ConcurrencyResource(target=target)
        )
    if is_asynchronous_configured(target):
        resources.append(AsynchronousResource(target=target))
    if target.settings.url is not None:
        (to_delete if target.settings.url == "off" else resources).append(URLResource(target=target))
    return resources, to_delete


def _runtime(asked: str, today: dt.date, present: str | None) -> str:
    return runtime_for(asked, today, present=present)
