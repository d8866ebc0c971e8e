"""Resources to create or update, and resources to delete."""

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
    """The package of a function."""

    code: Code
    architecture: Architecture
    runtime: str
    """Runtime from the build or the configuration. A successor replaces it once AWS no longer accepts it."""


@dataclass(frozen=True, kw_only=True)
class DesiredState:
    """Resources to create or update, and resources to delete."""

    targets: tuple[Target, ...]
    resources: tuple[Resource[Any], ...]
    to_delete: tuple[Resource[Any], ...]


def owner_of(project: Project) -> Owner:
    """Return the owner of the project's resources in AWS."""
    return Owner(project=project.name, prefix=project.configuration.prefix)


def targets_of(aws: AWS, project: Project, functions: Sequence[Function]) -> tuple[Target, ...]:
    """Return the targets of these functions."""
    return tuple(make_target(aws, owner_of(project), function) for function in functions)


def role_statements(target: Target) -> tuple[Statement, ...]:
    """Return the policy statements of a function's role."""
    return (*iam_permissions.setting_statements(target), *trigger_statements(target))


def find_desired_state(
    aws: AWS, project: Project, packages: Mapping[str, FunctionPackage], today: dt.date
) -> DesiredState:
    """Compute the desired state of the functions in `packages`.

    Args:
        aws: Asked for triggers that the configuration no longer has.
        project: The project.
        packages: Packages by function.
        today: Date for which runtimes are chosen.
    """
    functions = [function for function in project.functions if function.name in packages]
    targets = targets_of(aws, project, functions)
    resources: list[Resource[Any]] = []
    to_delete: list[Resource[Any]] = []
    apis = api_resources(targets)
    for target in targets:
        function_resources, function_deletions = _function_resources(target, packages[target.function.name], today)
        triggers = trigger_resources(target)
        resources += [*function_resources, *triggers]
        to_delete += [*function_deletions, *find_orphaned_triggers(aws, target, triggers)]
    to_delete = [*find_orphaned_apis(aws, owner_of(project), to_delete, apis), *to_delete]
    resources = [*apis, *resources]
    return DesiredState(targets=targets, resources=tuple(resources), to_delete=tuple(to_delete))


def _function_resources(
    target: Target, package: FunctionPackage, today: dt.date
) -> tuple[list[Resource[Any]], list[Resource[Any]]]:
    role = RoleResource(target=target, statements=role_statements(target), is_desired=target.settings.role is None)
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


def _runtime(configured: str, today: dt.date, present: str | None) -> str:
    return runtime_for(configured, today, present=present)
