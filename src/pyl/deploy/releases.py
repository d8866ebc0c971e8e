"""Published versions of a function, and its alias."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pyl.deploy.aws import AWS, error_code, none_if_absent, paginate
from pyl.deploy.code import short_hash
from pyl.deploy.functions import FunctionResource, wait_until_ready
from pyl.deploy.plan import Change, Reference, Resource
from pyl.deploy.settings import Configuration
from pyl.progress import Progress

_CONFLICTS = frozenset({"ConflictException", "ResourceConflictException"})


@dataclass(frozen=True, kw_only=True)
class ReleaseState:
    """A version in AWS."""

    version: str
    configuration: Configuration


@dataclass(frozen=True, kw_only=True)
class _Release(Resource[ReleaseState]):
    """What aliases and versions share: they are up to date if their version has the desired code and settings."""

    function: FunctionResource

    @property
    def dependencies(self) -> tuple[Reference, ...]:
        """The function."""
        return (self.function.reference,)

    def changes(self, state: ReleaseState | None) -> Sequence[Change]:
        """Return a change unless the version has the desired code and settings. Versions have no tags."""
        if state is None:
            return (Change(field="version", new="the next"),)
        configuration = state.configuration
        same_code = configuration.get("CodeSha256") == self.function.code.sha256
        differing = [change.field for change in self.function.desired.changes(configuration)]
        if same_code and not differing:
            return ()
        why = [*([] if same_code else [f"code {short_hash(configuration.get('CodeSha256'))}"]), *differing]
        return (Change(field="version", old=f"{state.version} (other {', '.join(why)})", new="the next"),)

    def _publish(self, aws: AWS, progress: Progress) -> str:
        """Publish a version and return its number. Lambda returns the last version if nothing changed."""
        client, name = aws.client("lambda"), self.function.name
        wait_until_ready(aws, progress, name)
        answer = client.publish_version(FunctionName=name, CodeSha256=self.function.code.sha256)
        version: str = answer["Version"]
        wait_until_ready(aws, progress, name, qualifier=version)
        return version


@dataclass(frozen=True, kw_only=True)
class AliasResource(_Release):
    """An alias. It is moved to a new version once that is ready; until then, callers get the old one."""

    kind: ClassVar[str] = "alias"

    alias: str

    @property
    def name(self) -> str:
        """Name of the function, and the alias."""
        return f"{self.function.name}:{self.alias}"

    @property
    def _arguments(self) -> dict[str, str]:
        return {"FunctionName": self.function.name, "Name": self.alias}

    def read(self, aws: AWS) -> ReleaseState | None:
        """Return the version that the alias points to."""
        client = aws.client("lambda")
        alias = none_if_absent(lambda: client.get_alias(**self._arguments))
        if alias is None:
            return None
        version = alias["FunctionVersion"]
        configuration = none_if_absent(
            lambda: client.get_function_configuration(FunctionName=self.function.name, Qualifier=version)
        )
        return ReleaseState(version=version, configuration=configuration or {})

    def apply(self, aws: AWS, state: ReleaseState | None, progress: Progress) -> None:
        """Publish a version, then move the alias."""
        client, version = aws.client("lambda"), self._publish(aws, progress)
        if state is None:
            try:
                client.create_alias(**self._arguments, FunctionVersion=version)
            except Exception as error:
                if error_code(error) not in _CONFLICTS:
                    raise
            else:
                return
        client.update_alias(**self._arguments, FunctionVersion=version)

    def remove(self, aws: AWS, state: ReleaseState) -> None:  # noqa: ARG002
        """Delete the alias. Its version is kept."""
        none_if_absent(lambda: aws.client("lambda").delete_alias(**self._arguments))

    def outcome(self, aws: AWS) -> Mapping[str, str]:
        """Return the alias and its version."""
        alias = none_if_absent(lambda: aws.client("lambda").get_alias(**self._arguments))
        return {"alias": self.alias, "version": alias["FunctionVersion"]} if alias else {}


@dataclass(frozen=True, kw_only=True)
class VersionResource(_Release):
    """The newest version, without an alias."""

    kind: ClassVar[str] = "version"

    @property
    def name(self) -> str:
        """Name of the function."""
        return self.function.name

    def read(self, aws: AWS) -> ReleaseState | None:
        """Return the newest version."""
        newest = self._newest(aws)
        return ReleaseState(version=newest["Version"], configuration=newest) if newest else None

    def apply(self, aws: AWS, state: ReleaseState | None, progress: Progress) -> None:  # noqa: ARG002
        """Publish a version."""
        self._publish(aws, progress)

    def remove(self, aws: AWS, state: ReleaseState) -> None:
        """Delete the version."""
        none_if_absent(lambda: aws.client("lambda").delete_function(FunctionName=self.name, Qualifier=state.version))

    def outcome(self, aws: AWS) -> Mapping[str, str]:
        """Return the version's number."""
        newest = self._newest(aws)
        return {"version": newest["Version"]} if newest else {}

    def _newest(self, aws: AWS) -> Mapping[str, Any] | None:
        client = aws.client("lambda")
        versions = none_if_absent(
            lambda: list(paginate(client, "list_versions_by_function", "Versions", FunctionName=self.name))
        )
        numbered = [version for version in versions or () if version["Version"].isdecimal()]
        return max(numbered, key=lambda version: int(version["Version"]), default=None)
