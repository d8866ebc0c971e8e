"""Where a function of the project is in AWS: its name, its ARNs, what must be there before it can be invoked."""

from __future__ import annotations

from dataclasses import dataclass

from pyl.deploy.aws import AWS
from pyl.deploy.plan import Reference
from pyl.deploy.tags import Owner
from pyl.project.config.deployment import DeploymentConfiguration
from pyl.project.model import Function


@dataclass(frozen=True, kw_only=True)
class Target:
    """One function, as deployed for one owner into one account and region."""

    function: Function
    owner: Owner
    region: str
    account: str
    """12 digits."""
    partition: str

    @property
    def settings(self) -> DeploymentConfiguration:
        """What configuration says of the function in AWS."""
        return self.function.configuration.deployment

    @property
    def name(self) -> str:
        """Its name in AWS."""
        return self.owner.function_name(self.function.name)

    @property
    def arn(self) -> str:
        """ARN of the function, without version or alias."""
        return self.arn_of("lambda", f"function:{self.name}")

    @property
    def qualifier(self) -> str | None:
        """The alias that callers use, if it has one."""
        return self.settings.alias

    @property
    def qualification(self) -> dict[str, str]:
        """`Qualifier` for calls that take one."""
        return {"Qualifier": self.qualifier} if self.qualifier else {}

    @property
    def invoked_arn(self) -> str:
        """ARN of what triggers invoke: the alias, else the function."""
        return f"{self.arn}:{self.qualifier}" if self.qualifier else self.arn

    @property
    def reference(self) -> Reference:
        """The function in a plan."""
        return Reference("function", self.name)

    @property
    def invoked(self) -> Reference:
        """What a trigger needs (`Resource.needs`): the alias, else the function."""
        return Reference("alias", f"{self.name}:{self.qualifier}") if self.qualifier else self.reference

    def arn_of(self, service: str, resource: str) -> str:
        """ARN of a thing in the same account and region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"


def make_target(aws: AWS, owner: Owner, function: Function) -> Target:
    """The function's place for whom `aws` stands for."""
    return Target(
        function=function,
        owner=owner,
        region=aws.region,
        account=aws.account,
        partition=aws.identity.partition,
    )
