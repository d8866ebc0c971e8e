"""Lambda functions: code, settings and tags."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from pyl.architecture import Architecture
from pyl.deploy.aws import AWS, error_code, none_if_absent, retry
from pyl.deploy.code import Code, short_hash
from pyl.deploy.plan import Change, Reference, Resource
from pyl.deploy.settings import Configuration, DesiredSettings
from pyl.deploy.tags import PROJECT
from pyl.deploy.target import Target
from pyl.errors import AWSError
from pyl.progress import Progress

Answer = TypeVar("Answer")

_ROLE_SECONDS = 60.0
"""How long Lambda may not see a new role. Usually a few seconds."""

_UPDATE_SECONDS = 120.0
_READY_SECONDS = 300.0


@dataclass(frozen=True, kw_only=True)
class FunctionState:
    """Configuration and tags of a function in AWS."""

    configuration: Configuration
    tags: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class FunctionResource(Resource[FunctionState]):
    """A Lambda function."""

    kind: ClassVar[str] = "function"

    target: Target
    code: Code
    architecture: Architecture
    desired: DesiredSettings
    depends_on: tuple[Reference, ...] = ()

    @property
    def name(self) -> str:
        """Name in AWS."""
        return self.target.name

    @property
    def dependencies(self) -> tuple[Reference, ...]:
        """The role and the log group."""
        return self.depends_on

    @property
    def tags(self) -> dict[str, str]:
        """Tags of pyl and of the user."""
        return {**self.target.settings.tags, **self.target.owner.tags}

    def read(self, aws: AWS) -> FunctionState | None:
        """Return the function's state, see `read_function`."""
        return read_function(aws, self.target)

    def changes(self, state: FunctionState | None) -> Sequence[Change]:
        """Return changes of code, architecture, settings and tags."""
        present = state.configuration if state else None
        tags = state.tags if state else {}
        return (
            *self._code_changes(present),
            *self.desired.changes(present),
            *(
                Change(field=f"tags.{key}", old=tags.get(key), new=value)
                for key, value in self.tags.items()
                if tags.get(key) != value
            ),
        )

    def apply(self, aws: AWS, state: FunctionState | None, progress: Progress) -> None:
        """Create or update the function, then wait until it can be invoked."""
        if state is None:
            state = self._create(aws, progress)
        self._update(aws, state, progress)
        wait_until_ready(aws, progress, self.name)

    def remove(self, aws: AWS, state: FunctionState) -> None:  # noqa: ARG002
        """Delete the function with its versions and aliases."""
        none_if_absent(lambda: aws.client("lambda").delete_function(FunctionName=self.name))

    def outcome(self, aws: AWS) -> Mapping[str, str]:
        """Return the ARN and the actual runtime."""
        state = self.read(aws)
        runtime = state.configuration.get("Runtime", "") if state else ""
        return {"arn": self.target.arn, "runtime": runtime}

    def _code_changes(self, present: Configuration | None) -> list[Change]:
        old = present or {}
        architecture = (old.get("Architectures") or [Architecture.X86_64])[0] if present is not None else None
        changes = []
        if old.get("CodeSha256") != self.code.sha256:
            changes.append(Change(field="code", old=short_hash(old.get("CodeSha256")), new=self.code.short))
        if architecture != self.architecture:
            changes.append(Change(field="architecture", old=architecture, new=self.architecture))
        return changes

    def _create(self, aws: AWS, progress: Progress) -> FunctionState:
        """Create the function, or continue with one that exists by now."""
        code = self.code.arguments(aws, progress)
        arguments = {
            "FunctionName": self.name,
            "Code": code,
            "Architectures": [self.architecture],
            "Tags": self.tags,
            **self.desired.arguments(None),
        }
        try:
            self._retry_until_role_is_known(aws, lambda: aws.client("lambda").create_function(**arguments))
        except Exception as error:
            # An earlier attempt whose answer was lost may have created it.
            if error_code(error) != "ResourceConflictException":
                raise
        state = self.read(aws)
        if state is None:
            msg = f"the function {self.name} was deleted right after it was created"
            raise AWSError(
                msg,
                hint="another deployment or `pyl delete` may be running; run the command again when it has finished",
            )
        return state

    def _update(self, aws: AWS, state: FunctionState, progress: Progress) -> None:
        """Update configuration before code, so that new code finds its environment variables."""
        client, present = aws.client("lambda"), state.configuration
        arguments = self.desired.arguments(present)
        if arguments:
            self._retry_while_updating(
                aws, progress, lambda: client.update_function_configuration(FunctionName=self.name, **arguments)
            )
        if self._code_changes(present):
            code = self.code.arguments(aws, progress)
            self._retry_while_updating(
                aws,
                progress,
                lambda: client.update_function_code(FunctionName=self.name, Architectures=[self.architecture], **code),
            )
        missing_tags = {key: value for key, value in self.tags.items() if state.tags.get(key) != value}
        if missing_tags:
            client.tag_resource(Resource=self.target.arn, Tags=missing_tags)

    def _retry_until_role_is_known(self, aws: AWS, call: Callable[[], Answer]) -> Answer:
        seconds = 0.0 if self.target.settings.role else _ROLE_SECONDS
        return retry(aws, call, _is_role_propagating, seconds=seconds)

    def _retry_while_updating(self, aws: AWS, progress: Progress, call: Callable[[], Answer]) -> Answer:
        """Call when no other update is in progress: Lambda accepts one at a time."""
        wait_until_ready(aws, progress, self.name, failure_matters=False)
        return retry(
            aws,
            lambda: self._retry_until_role_is_known(aws, call),
            lambda error: error_code(error) == "ResourceConflictException",
            seconds=_UPDATE_SECONDS,
        )


def read_function(aws: AWS, target: Target) -> FunctionState | None:
    """Return a function's state, and hide its environment variables from error messages.

    Raises:
        AWSError: The function belongs to another project.
    """
    answer = none_if_absent(lambda: aws.client("lambda").get_function(FunctionName=target.name))
    if answer is None:
        return None
    configuration, tags = answer["Configuration"], dict(answer.get("Tags") or {})
    aws.hide(((configuration.get("Environment") or {}).get("Variables") or {}).values())
    if tags.get(PROJECT, target.owner.tag) != target.owner.tag:
        msg = f"the function {target.name} belongs to another pyl project: {tags[PROJECT]}"
        raise AWSError(msg, hint='set prefix = "..." in [tool.pyl], which is put before the names of all functions')
    return FunctionState(configuration=configuration, tags=tags)


def wait_until_ready(
    aws: AWS, progress: Progress, name: str, *, qualifier: str | None = None, failure_matters: bool = True
) -> None:
    """Wait until a function accepts invocations and updates.

    Args:
        aws: The account and region.
        progress: Told what AWS is doing.
        name: Name of the function.
        qualifier: Version or alias to wait for.
        failure_matters: Whether to raise an error if the last update failed.

    Raises:
        AWSError: The function failed to become ready, or takes more than 5 minutes.
    """
    client, pause, waited = aws.client("lambda"), 0.2, 0.0
    version = {"Qualifier": qualifier} if qualifier else {}
    while True:
        configuration = client.get_function_configuration(FunctionName=name, **version)
        state, update = configuration.get("State"), configuration.get("LastUpdateStatus")
        if failure_matters and "Failed" in {state, update}:
            key = "StateReason" if state == "Failed" else "LastUpdateStatusReason"
            msg = f"{name} failed to become ready: {configuration.get(key) or 'AWS gives no reason'}"
            raise AWSError(msg, hint="fix the cause and run the command again")
        if state != "Pending" and update != "InProgress":
            return
        if waited >= _READY_SECONDS:
            msg = f"{name} is not ready after {waited:.0f} s"
            raise AWSError(msg, hint="run the command again to continue waiting")
        progress.detail(f"waiting for AWS: {configuration.get('StateReason') or 'the update is in progress'}")
        aws.pause(pause)
        waited += pause
        pause = min(pause * 1.5, 5.0)


def _is_role_propagating(error: Exception) -> bool:
    """Whether Lambda does not see a new role or its policy yet."""
    message = str(error)
    return error_code(error) == "InvalidParameterValueException" and (
        "cannot be assumed by Lambda" in message or "execution role does not have permissions" in message
    )
