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
from pyl.deploy.settings import wanted_settings
from pyl.deploy.tags import Owner
from pyl.deploy.target import Target, target
from pyl.deploy.triggers import api_resources, left_apis, left_triggers, trigger_resources, trigger_statements
from pyl.deploy.urls import URLResource
from pyl.packaging.lifecycle import runtime_for
from pyl.project.model import Function, Project


@dataclass(frozen=True, kw_only=True)
class Packaged:
    """The package that a function gets."""

    code: Code
    architecture: Architecture
    runtime: str
    """As the build or configuration has it; Lambda's own calendar may move it on."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Resources that are to be, and those that are to be no more."""

    targets: tuple[Target, ...]
    resources: tuple[Resource[Any], ...]
    unwanted: tuple[Resource[Any], ...]


def owner_of(project: Project) -> Owner:
    """Whose the project's things in AWS are."""
    return Owner(project=project.name, prefix=project.configuration.prefix)


def targets_of(aws: AWS, project: Project, functions: Sequence[Function]) -> tuple[Target, ...]:
    """Where these functions of the project are."""
    return tuple(target(aws, owner_of(project), function) for function in functions)


def statements(place: Target) -> tuple[Statement, ...]:
    """What the role of a function must allow."""
    return (*iam_permissions.statements(place), *trigger_statements(place))


def wanted(aws: AWS, project: Project, packages: Mapping[str, Packaged], today: dt.date) -> Wanted:
    """What is wanted of the functions that `packages` names."""
    functions = [function for function in project.functions if function.name in packages]
    targets = targets_of(aws, project, functions)
    resources: list[Resource[Any]] = []
    unwanted: list[Resource[Any]] = []
    apis = api_resources(targets)
    for place in targets:
        made, taken = _of_function(place, packages[place.function.name], today)
        triggers = trigger_resources(place)
        resources += [*made, *triggers]
        unwanted += [*taken, *left_triggers(aws, place, triggers)]
    unwanted = [*left_apis(aws, owner_of(project), unwanted, apis), *unwanted]
    resources = [*apis, *resources]
    return Wanted(targets=targets, resources=tuple(resources), unwanted=tuple(unwanted))


def _of_function(place: Target, packaged: Packaged, today: dt.date) -> tuple[list[Resource[Any]], list[Resource[Any]]]:
    role = RoleResource(target=place, statements=statements(place), is_wanted=place.settings.role is None)
    function = FunctionResource(
        target=place,
        code=packaged.code,
        architecture=packaged.architecture,
        wanted=wanted_settings(
            place,
            runtime=functools.partial(_runtime, packaged.runtime, today),
            role=role_arn(place),
        ),
        needed=(log_group_reference(place), role_reference(place)),
    )
    resources: list[Resource[Any]] = [LogGroupResource(target=place), function]
    unwanted: list[Resource[Any]] = []
    (unwanted if place.settings.role else resources).append(role)
    if place.settings.alias:
        resources.append(AliasResource(function=function, alias=place.settings.alias))
    elif place.settings.publish:
        resources.append(VersionResource(function=function))
    if place.settings.reserved_concurrency is not None:
        (resources if place.settings.reserved_concurrency >= 0 else unwanted).append(ConcurrencyResource(target=place))
    if is_asynchronous_configured(place):
        resources.append(AsynchronousResource(target=place))
    if place.settings.url is not None:
        (unwanted if place.settings.url == "off" else resources).append(URLResource(target=place))
    return resources, unwanted


def _runtime(asked: str, today: dt.date, present: str | None) -> str:
    return runtime_for(asked, today, present=present)
