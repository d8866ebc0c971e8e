"""Functions that exist for one benchmark: made under names of their own, and deleted whatever happens."""

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
from pyl.bench.remote.contenders import Contender
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
"""What every name in AWS begins with; what an interrupted machine left there can be found by it."""

_TRIES = 4
_LOGS_KEPT = 1
"""Day, should deleting them fail."""


@dataclass(frozen=True, kw_only=True)
class Throwaway:
    """One contender as a function in AWS."""

    contender: Contender
    name: str
    """In AWS."""
    variables: dict[str, str]


@contextmanager
def deployed(
    aws: AWS, project: Project, function: Function, contenders: Sequence[Contender], progress: Progress
) -> Iterator[list[Throwaway]]:
    """The function once per contender, with role and log groups; all of it is deleted at the end.

    Deleting is not interrupted by Ctrl-C. Raises `AWSError` when AWS refuses something, and when something could
    not be deleted: then it names what is left, and how to delete it.
    """
    run = secrets.token_hex(4)
    owner = Owner(project="bench", prefix=f"{PREFIX}{run}-")
    bucket = project.configuration.bucket
    codes = [Code(path=contender.package, project=f"{PREFIX}{run}", bucket=bucket) for contender in contenders]
    with aws.errors("find out whose credentials these are"):
        targets = [make_target(aws, owner, _renamed(function, contender.name)) for contender in contenders]
    resources = _resources(targets, contenders, codes, function, project.configuration.architecture)
    try:
        _make(aws, resources, progress)
        yield [
            Throwaway(contender=contender, name=place.name, variables=dict(function.configuration.environment))
            for contender, place in zip(contenders, targets, strict=True)
        ]
    finally:
        with _uninterrupted(progress), progress.step(f"Delete {PREFIX}{run}-*"):
            left = _remove(aws, resources, progress) + _remove_uploads(aws, codes)
        if left:
            _tell_of(left)


def _make(aws: AWS, resources: Sequence[Resource[Any]], progress: Progress) -> None:
    try:
        apply_plan(aws, make_plan(aws, resources), progress)
    except Stopped as stopped:
        raise AWSError(stopped.message.partition("\n")[0], hint=_own_hint(stopped)) from stopped


def _own_hint(stopped: Stopped) -> str | None:
    cause = stopped.__cause__
    return cause.hint if isinstance(cause, AWSError) else None


def _renamed(function: Function, name: str) -> Function:
    """The function with a contender's name, and only those of its settings that its execution depends on."""
    settings = function.configuration.deployment
    kept = DeploymentConfiguration(
        role=settings.role,
        policies=settings.policies,
        allow=settings.allow,
        layers=settings.layers,
        subnets=settings.subnets,
        security_groups=settings.security_groups,
        ephemeral_storage=settings.ephemeral_storage,
        log_retention=_LOGS_KEPT,
        log_format="Text",  # the form of the REPORT line that is read
    )
    return replace(
        function,
        name=name,
        description=f"pyl bench: {function.name}, {name}",
        configuration=structs.replace(function.configuration, deployment=kept, triggers=()),
    )


def _resources(
    targets: Sequence[Target],
    contenders: Sequence[Contender],
    codes: Sequence[Code],
    function: Function,
    architecture: Architecture,
) -> list[Resource[Any]]:
    """One role for all: a new one takes seconds to be known everywhere."""
    first = targets[0]
    found: list[Resource[Any]] = []
    if first.settings.role is None:
        needed = tuple(statement for place in targets for statement in setting_statements(place))
        numbered = (replace(one, reason=f"{one.reason} {number}") for number, one in enumerate(needed))
        found.append(RoleResource(target=first, statements=tuple(numbered)))
    for place, contender, code in zip(targets, contenders, codes, strict=True):
        desired = desired_settings(place, runtime=_always(contender.runtime), role=role_arn(first))
        found.append(LogGroupResource(target=place))
        found.append(
            FunctionResource(
                target=place,
                code=code,
                architecture=architecture,
                desired=replace(desired, fixed={**desired.fixed, "handler": f"functions.{function.name}"}),
                depends_on=(log_group_reference(place), role_reference(first)),
            )
        )
    return found


def _always(runtime: str) -> Callable[[str | None], str]:
    return lambda _present: runtime


def _remove(aws: AWS, resources: Sequence[Resource[Any]], progress: Progress) -> list[str]:
    """Delete what is there, functions first; what could not be deleted is returned, with the reason."""
    left = []
    for resource in sorted(resources, key=lambda resource: not isinstance(resource, FunctionResource)):
        progress.detail(str(resource.reference))
        if error := _tried(aws, functools.partial(_remove_one, aws, resource)):
            left.append(f"{resource.reference} ({error.message})")
    return left


def _remove_one(aws: AWS, resource: Resource[Any]) -> None:
    """What the answer to its creation was lost of is found here, too."""
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
    """Whether trying again is of no use; a function that is being changed, for one, can be deleted soon."""
    return isinstance(error, Refused) and any(word in error.code for word in ("Denied", "Expired", "Token"))


def _tell_of(left: Sequence[str]) -> None:
    msg = "\n  ".join(["the benchmark could not delete all that it made:", *left])
    raise AWSError(msg, hint=f"delete what begins with {PREFIX} in the AWS console, or by the AWS CLI")


@contextmanager
def _uninterrupted(progress: Progress) -> Iterator[None]:
    """Keep signals until the end of the block, and act on the first one then."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    kept: list[tuple[int, FrameType | None]] = []

    def keep(number: int, frame: FrameType | None) -> None:
        progress.note("deleting what was made for the benchmark; it takes some seconds")
        kept.append((number, frame))

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, keep) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if kept:
        first, frame = kept[0]
        act = before[signal.Signals(first)]
        if callable(act):
            act(first, frame)
