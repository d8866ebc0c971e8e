"""Functions that are deployed for one benchmark, under names of their own, and always deleted afterwards."""

from __future__ import annotations

import functools
import secrets
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import FrameType
from typing import Any

from msgspec import structs

from pyl.architecture import Architecture
from pyl.bench.remote.variant_packages import VariantPackage
from pyl.deploy.aws import AWS, Refused
from pyl.deploy.code import Code
from pyl.deploy.functions import FunctionResource
from pyl.deploy.iam_permissions import setting_statements
from pyl.deploy.log_groups import LogGroupResource, log_group_reference
from pyl.deploy.plan import Resource, Stopped, apply_plan, make_plan
from pyl.deploy.roles import RoleResource, role_arn, role_reference
from pyl.deploy.settings import desired_settings
from pyl.deploy.tags import Owner
from pyl.deploy.target import Target, make_target
from pyl.errors import AWSError
from pyl.progress import Progress
from pyl.project.config.deployment import DeploymentConfiguration
from pyl.project.model import Function, Project

PREFIX = "pyl-bench-"
"""Prefix of every name in AWS. If the machine fails during a run, whatever remains can be found by it."""

_TRIES = 4
_LOG_RETENTION = 1
"""Days, in case deleting the log groups fails."""


@dataclass(frozen=True, kw_only=True)
class Throwaway:
    """One variant, deployed as a function."""

    variant_package: VariantPackage
    name: str
    """Name of the function in AWS."""
    variables: dict[str, str]


@contextmanager
def deployed(
    aws: AWS, project: Project, function: Function, variant_packages: Sequence[VariantPackage], progress: Progress
) -> Iterator[list[Throwaway]]:
    """Deploy the function once for each variant, with role and log groups, and delete everything at the end.

    Ctrl-C does not interrupt the deletion.

    Yields:
        The deployed functions, in the order of `variant_packages`.

    Raises:
        AWSError: AWS refuses something, or something could not be deleted. The message names what is left.
    """
    run = secrets.token_hex(4)
    owner = Owner(project="bench", prefix=f"{PREFIX}{run}-")
    bucket = project.configuration.bucket
    codes = [
        Code(path=variant_package.package, project=f"{PREFIX}{run}", bucket=bucket)
        for variant_package in variant_packages
    ]
    with aws.errors("check the credentials"):
        targets = [
            make_target(aws, owner, _renamed(function, variant_package.name)) for variant_package in variant_packages
        ]
    resources = _resources(targets, variant_packages, codes, function, project.configuration.architecture)
    try:
        _make(aws, resources, progress)
        yield [
            Throwaway(
                variant_package=variant_package, name=place.name, variables=dict(function.configuration.environment)
            )
            for variant_package, place in zip(variant_packages, targets, strict=True)
        ]
    finally:
        with _uninterrupted(progress), progress.step(f"Delete {PREFIX}{run}-*"):
            remaining = _remove(aws, resources, progress) + _remove_uploads(aws, codes)
        if remaining:
            raise _cannot_delete(remaining)


def _make(aws: AWS, resources: Sequence[Resource[Any]], progress: Progress) -> None:
    try:
        apply_plan(aws, make_plan(aws, resources), progress)
    except Stopped as stopped:
        raise AWSError(stopped.message.partition("\n")[0], hint=_own_hint(stopped)) from stopped


def _own_hint(stopped: Stopped) -> str | None:
    cause = stopped.__cause__
    return cause.hint if isinstance(cause, AWSError) else None


def _renamed(function: Function, name: str) -> Function:
    """Return the function with a variant's name, and with only those settings that its execution depends on."""
    settings = function.configuration.deployment
    deployment = DeploymentConfiguration(
        role=settings.role,
        policies=settings.policies,
        allow=settings.allow,
        layers=settings.layers,
        subnets=settings.subnets,
        security_groups=settings.security_groups,
        ephemeral_storage=settings.ephemeral_storage,
        log_retention=_LOG_RETENTION,
        log_format="Text",  # the form of the REPORT line that is read
    )
    return replace(
        function,
        name=name,
        description=f"pyl bench: {function.name}, {name}",
        configuration=structs.replace(function.configuration, deployment=deployment, triggers=()),
    )


def _resources(
    targets: Sequence[Target],
    variant_packages: Sequence[VariantPackage],
    codes: Sequence[Code],
    function: Function,
    architecture: Architecture,
) -> list[Resource[Any]]:
    """Return what to deploy. All functions share a role: a new one takes seconds to be known everywhere."""
    first = targets[0]
    resources: list[Resource[Any]] = []
    if first.settings.role is None:
        needed = tuple(statement for place in targets for statement in setting_statements(place))
        numbered = (replace(one, reason=f"{one.reason} {number}") for number, one in enumerate(needed))
        resources.append(RoleResource(target=first, statements=tuple(numbered)))
    for place, variant_package, code in zip(targets, variant_packages, codes, strict=True):
        desired = desired_settings(place, runtime=_always(variant_package.runtime), role=role_arn(first))
        resources.append(LogGroupResource(target=place))
        resources.append(
            FunctionResource(
                target=place,
                code=code,
                architecture=architecture,
                desired=replace(desired, fixed={**desired.fixed, "handler": f"functions.{function.name}"}),
                depends_on=(log_group_reference(place), role_reference(first)),
            )
        )
    return resources


def _always(runtime: str) -> Callable[[str | None], str]:
    return lambda _present: runtime


def _remove(aws: AWS, resources: Sequence[Resource[Any]], progress: Progress) -> list[str]:
    """Delete the resources that exist, functions first; return those that could not be deleted, with the reason."""
    remaining = []
    for resource in sorted(resources, key=lambda resource: not isinstance(resource, FunctionResource)):
        progress.detail(str(resource.reference))
        if error := _tried(aws, functools.partial(_remove_one, aws, resource)):
            remaining.append(f"{resource.reference} ({error.message})")
    return remaining


def _remove_one(aws: AWS, resource: Resource[Any]) -> None:
    """Delete one resource, also when its creation succeeded but the response was lost."""
    with aws.errors(f"delete {resource.reference}"):
        state = resource.read(aws)
        if state is not None:
            resource.remove(aws, state)


def _remove_uploads(aws: AWS, codes: Sequence[Code]) -> list[str]:
    return [
        f"the uploaded {code.path.name} ({error.message})"
        for code in codes
        if (error := _tried(aws, functools.partial(_remove_upload, aws, code)))
    ]


def _remove_upload(aws: AWS, code: Code) -> None:
    with aws.errors(f"delete the uploaded {code.path.name}"):
        code.remove_upload(aws)


def _tried(aws: AWS, call: Callable[[], None]) -> AWSError | None:
    for number in range(_TRIES):
        try:
            call()
        except AWSError as error:
            if number == _TRIES - 1 or _is_final(error):
                return error
            aws.pause(2.0**number / 2)
        else:
            break
    return None


def _is_final(error: AWSError) -> bool:
    """Return whether another attempt is useless. It is not if, for example, the function is being changed."""
    return isinstance(error, Refused) and any(word in error.code for word in ("Denied", "Expired", "Token"))


def _cannot_delete(remaining: Sequence[str]) -> AWSError:
    msg = "\n  ".join(["the benchmark could not delete everything that it created:", *remaining])
    return AWSError(
        msg, hint=f"delete everything whose name begins with {PREFIX} in the AWS console or with the AWS CLI"
    )


@contextmanager
def _uninterrupted(progress: Progress) -> Iterator[None]:
    """Defer signals until the end of the block, then handle the first one."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    deferred: list[tuple[int, FrameType | None]] = []

    def defer(number: int, frame: FrameType | None) -> None:
        progress.note("deleting what the benchmark created; this takes a few seconds")
        deferred.append((number, frame))

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, defer) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if deferred:
        first, frame = deferred[0]
        act = before[signal.Signals(first)]
        if callable(act):
            act(first, frame)
