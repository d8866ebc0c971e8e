"""The functions of a template, with placeholders for the account, region and partition."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pyl.architecture import Architecture
from pyl.deploy.desired_state import owner_of
from pyl.deploy.packages import configured_runtime, inspect_package, select_variant
from pyl.deploy.target import Target
from pyl.errors import UsageError
from pyl.packaging.lifecycle import runtime_for
from pyl.packaging.locations import package_path
from pyl.packaging.package import Kind
from pyl.project.config.deployment import DeploymentConfiguration
from pyl.project.config.model import FunctionConfiguration
from pyl.project.model import Function, Project


@dataclass(frozen=True, kw_only=True)
class PseudoParameters:
    """Expressions of a template language for values that are only known at deployment."""

    partition: str
    region: str
    account: str


@dataclass(frozen=True, kw_only=True)
class TemplateFunction:
    """One function of a template."""

    target: Target
    package: Path
    """The zip file. It may not exist yet."""
    configured_runtime: str
    """Runtime that the configuration or the build asks for."""
    runtime: str
    """Runtime to use: the configured one, or its successor once AWS no longer accepts it."""
    architecture: Architecture

    @property
    def name(self) -> str:
        """Name in the project, without the prefix."""
        return self.target.function.name

    @property
    def description(self) -> str | None:
        """Description for AWS, from the docstring."""
        return self.target.function.description

    @property
    def event(self) -> str | None:
        """Name of the event type that the function takes."""
        return self.target.function.event

    @property
    def configuration(self) -> FunctionConfiguration:
        """The function's configuration."""
        return self.target.function.configuration

    @property
    def settings(self) -> DeploymentConfiguration:
        """The function's deployment settings."""
        return self.target.settings


def locate_template_functions(
    project: Project,
    functions: Sequence[Function],
    pseudo_parameters: PseudoParameters,
    *,
    kind: Kind,
    package: Path | None,
    today: dt.date,
) -> list[TemplateFunction]:
    """Return the functions with their targets and packages.

    Args:
        project: The project.
        functions: Those of its functions that the template contains.
        pseudo_parameters: Expressions of the template language.
        kind: Kind of package for functions whose `runtime` does not decide it.
        package: A package for all functions; `None` for those that `pyl build` makes.
        today: Date for which runtimes are chosen.

    Raises:
        UsageError: `package` does not suit one of the functions.
    """
    owner = owner_of(project)
    located = []
    for function in functions:
        variant = select_variant(project, function, inspect_package(package).kind if package else kind)
        if package and variant.kind != inspect_package(package).kind:
            msg = (
                f"{package.name} does not suit {function.name}, whose `runtime` is"
                f" {function.configuration.deployment.runtime}"
            )
            raise UsageError(msg, hint="name the functions that the package is for")
        target = Target(
            function=function,
            owner=owner,
            region=pseudo_parameters.region,
            account=pseudo_parameters.account,
            partition=pseudo_parameters.partition,
        )
        runtime = configured_runtime(project, function, variant)
        located.append(
            TemplateFunction(
                target=target,
                package=package or package_path(project, variant.kind, variant.architecture),
                configured_runtime=runtime,
                runtime=runtime_for(runtime, today),
                architecture=variant.architecture,
            )
        )
    return located


def check_names(functions: Sequence[TemplateFunction], convert: Callable[[str], str]) -> None:
    """Check that no two functions get the same name in the template.

    Args:
        functions: The functions of the template.
        convert: Converts the name of a function to its name in the template.

    Raises:
        UsageError: Two functions get the same name.
    """
    function_names: dict[str, str] = {}
    for function in functions:
        name = convert(function.name)
        other = function_names.setdefault(name, function.name)
        if other != function.name:
            msg = f"{other} and {function.name} would both be named {name} in the template"
            raise UsageError(msg, hint="rename one of them, or generate one template for each")


def identifier(*parts: str) -> str:
    """Return a name of letters and digits for use within a template, such as `OrderPlacedRule`."""
    words = re.findall(r"[A-Za-z0-9]+", " ".join(parts))
    return "".join(word[:1].upper() + word[1:] for word in words)
