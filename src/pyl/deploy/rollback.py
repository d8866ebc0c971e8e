"""An alias moved back to an earlier version: its callers get that from one call to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from pyl.deploy.aws import AWS, iterate_pages, none_if_absent
from pyl.deploy.plan import Change, Resource
from pyl.deploy.target import Target
from pyl.errors import AWSError, UsageError
from pyl.progress import Progress


@dataclass(frozen=True, kw_only=True)
class PinnedAlias(Resource[str]):
    """An alias that points to one version."""

    kind: ClassVar[str] = "alias"

    target: Target
    alias: str
    version: str

    @property
    def name(self) -> str:
        """Function and alias."""
        return f"{self.target.name}:{self.alias}"

    def read(self, aws: AWS) -> str | None:
        """The version that it points to."""
        return alias_version(aws, self.target, self.alias)

    def changes(self, state: str | None) -> Sequence[Change]:
        """The version."""
        return (Change(field="version", old=state, new=self.version),) if state != self.version else ()

    def apply(self, aws: AWS, state: str | None, progress: Progress) -> None:  # noqa: ARG002
        """Move it, with all of its traffic."""
        aws.client("lambda").update_alias(
            FunctionName=self.target.name,
            Name=self.alias,
            FunctionVersion=self.version,
            RoutingConfig={"AdditionalVersionWeights": {}},
        )

    def remove(self, aws: AWS, state: str) -> None:
        """Never: rolling back takes nothing away."""


def plan_rollback(aws: AWS, target: Target, *, alias: str | None = None, version: str | None = None) -> PinnedAlias:
    """The function's alias at `version`, or at the newest one before its own.

    Raises:
        UsageError: the function has no alias.
        AWSError: there is no such alias or version.
    """
    name = alias or target.qualifier
    if name is None:
        msg = f"{target.function.name} has no alias, and callers without one always get the newest code"
        hint = f'write alias = "live" into [tool.pyl.functions.{target.function.name}], and deploy'
        raise UsageError(msg, hint=hint)
    with aws.errors(f"read the versions of {target.name}"):
        current = alias_version(aws, target, name)
        numbers = _versions(aws, target)
    if current is None:
        msg = f"{target.name} has no alias {name} in {aws.region}"
        raise AWSError(msg, hint="`pyl list` shows what is there")
    return PinnedAlias(target=target, alias=name, version=_chosen(target, current, numbers, version))


def alias_version(aws: AWS, target: Target, alias: str) -> str | None:
    """The version that an alias points to."""
    answer = none_if_absent(lambda: aws.client("lambda").get_alias(FunctionName=target.name, Name=alias))
    return answer["FunctionVersion"] if answer else None


def _chosen(target: Target, current: str, numbers: Sequence[int], version: str | None) -> str:
    if version is not None:
        if version.isdecimal() and int(version) in numbers:
            return version
        msg = f"{target.name} has no version {version}"
        raise AWSError(msg, hint=f"it has {', '.join(map(str, numbers)) or 'none'}")
    earlier = [number for number in numbers if not current.isdecimal() or number < int(current)]
    if not earlier:
        msg = f"{target.name} has no version before {current}"
        raise AWSError(msg, hint="name one by --to" if len(numbers) > 1 else "deploy what you want to have")
    return str(max(earlier))


def _versions(aws: AWS, target: Target) -> list[int]:
    client = aws.client("lambda")
    listed = none_if_absent(
        lambda: list(iterate_pages(client, "list_versions_by_function", "Versions", FunctionName=target.name))
    )
    return sorted(int(each["Version"]) for each in listed or () if each["Version"].isdecimal())
