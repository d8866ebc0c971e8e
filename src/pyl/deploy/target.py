"""The target of a deployment: a function's names and ARNs in one account and region."""

from __future__ import annotations

from dataclasses import dataclass

from pyl.deploy.aws import AWS
from pyl.deploy.plan import Reference
from pyl.deploy.tags import Owner
from pyl.project.config.deployment import DeploymentConfiguration
from pyl.project.model import Function


@dataclass(frozen=True, kw_only=True)
class Target:
    """One function, deployed for one owner into one account and region."""

    function: Function
    owner: Owner
    region: str
    account: str
    """Account ID, 12 digits."""
    partition: str

    @property
    def settings(self) -> DeploymentConfiguration:
        """Deployment settings of the function."""
        return self.function.configuration.deployment

    @property
    def name(self) -> str:
        """Name in AWS."""
        return self.owner.function_name(self.function.name)

    @property
    def arn(self) -> str:
        """ARN of the function, without version or alias."""
        return self.arn_of("lambda", f"function:{self.name}")

    @property
    def handler(self) -> str:
        """Handler setting of the Lambda function."""
        return f"functions.{self.function.name}"

    @property
    def qualifier(self) -> str | None:
        """The alias for callers, if configured."""
        return self.settings.alias

    @property
    def qualification(self) -> dict[str, str]:
        """`Qualifier` as an argument of API calls."""
        return {"Qualifier": self.qualifier} if self.qualifier else {}

    @property
    def invoked_arn(self) -> str:
        """ARN that triggers invoke: that of the alias, or else of the function."""
        return f"{self.arn}:{self.qualifier}" if self.qualifier else self.arn

    @property
    def reference(self) -> Reference:
        """Reference of the function in a plan."""
        return Reference("function", self.name)

    @property
    def invoked(self) -> Reference:
        """Reference of what triggers invoke: the alias, or else the function."""
        return Reference("alias", f"{self.name}:{self.qualifier}") if self.qualifier else self.reference

    def arn_of(self, service: str, resource: str) -> str:
        """Return the ARN of a resource in the same account and region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"


def make_target(aws: AWS, owner: Owner, function: Function) -> Target:
    """Return the target of a function in the account and region of `aws`."""
    return Target(
        function=function,
        owner=owner,
        region=aws.region,
        account=aws.account,
        partition=aws.identity.partition,
    )
