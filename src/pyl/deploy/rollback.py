"""Rollback: an alias is moved back to an earlier version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from pyl.deploy.aws import AWS, none_if_absent, paginate
from pyl.deploy.plan import Change, Resource
from pyl.deploy.target import Target
from pyl.errors import AWSError, UsageError
from pyl.progress import Progress


@dataclass(frozen=True, kw_only=True)
class PinnedAlias(Resource[str]):
    """An alias that points to a given version."""

    kind: ClassVar[str] = "alias"

    target: Target
    alias: str
    version: str

    @property
    def name(self) -> str:
        """Name of the function, and the alias."""
        return f"{self.target.name}:{self.alias}"

    def read(self, aws: AWS) -> str | None:
        """Return the version that the alias points to."""
        return read_alias_version(aws, self.target, self.alias)

    def changes(self, state: str | None) -> Sequence[Change]:
        """Return the change of the version."""
        return (Change(field="version", old=state, new=self.version),) if state != self.version else ()

    def apply(self, aws: AWS, state: str | None, progress: Progress) -> None:  # noqa: ARG002
        """Move the alias, with all of its traffic."""
        aws.client("lambda").update_alias(
            FunctionName=self.target.name,
            Name=self.alias,
            FunctionVersion=self.version,
            RoutingConfig={"AdditionalVersionWeights": {}},
        )

    def remove(self, aws: AWS, state: str) -> None:
        """Do nothing: a rollback deletes nothing."""


def plan_rollback(aws: AWS, target: Target, *, alias: str | None = None, version: str | None = None) -> PinnedAlias:
    """Return the function's alias at an earlier version.

    Args:
        aws: The account and region.
        target: The function.
        alias: The alias to move; `None` is the configured one.
        version: The version to move to; `None` is the newest one before the present one.

    Raises:
        UsageError: The function has no alias.
        AWSError: The alias or the version does not exist.
    """
    name = alias or target.qualifier
    if name is None:
        msg = f"{target.function.name} has no alias, so its callers always get the newest code"
        hint = f'set alias = "live" in [tool.pyl.functions.{target.function.name}], and deploy'
        raise UsageError(msg, hint=hint)
    with aws.errors(f"read the versions of {target.name}"):
        current = read_alias_version(aws, target, name)
        numbers = _versions(aws, target)
    if current is None:
        msg = f"{target.name} has no alias {name} in {aws.region}"
        raise AWSError(msg, hint="list the aliases with `pyl list`")
    return PinnedAlias(target=target, alias=name, version=_choose_version(target, current, numbers, version))


def read_alias_version(aws: AWS, target: Target, alias: str) -> str | None:
    """Return the version that an alias points to, or `None` if the alias does not exist."""
    answer = none_if_absent(lambda: aws.client("lambda").get_alias(FunctionName=target.name, Name=alias))
    return answer["FunctionVersion"] if answer else None


def _choose_version(target: Target, current: str, numbers: Sequence[int], version: str | None) -> str:
    if version is not None:
        if version.isdecimal() and int(version) in numbers:
            return version
        msg = f"{target.name} has no version {version}"
        raise AWSError(msg, hint=f"its versions are {', '.join(map(str, numbers)) or 'none'}")
    earlier = [number for number in numbers if not current.isdecimal() or number < int(current)]
    if not earlier:
        msg = f"{target.name} has no version before {current}"
        raise AWSError(msg, hint="choose one with --to" if len(numbers) > 1 else "deploy the earlier code")
    return str(max(earlier))


def _versions(aws: AWS, target: Target) -> list[int]:
    client = aws.client("lambda")
    versions = none_if_absent(
        lambda: list(paginate(client, "list_versions_by_function", "Versions", FunctionName=target.name))
    )
    return sorted(int(version["Version"]) for version in versions or () if version["Version"].isdecimal())
