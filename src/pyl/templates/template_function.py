"""What a template is made of: the functions where they will be, with account and region left to the tool."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pyl.architecture import Architecture
from pyl.deploy.desired_state import owner_of
from pyl.deploy.packages import Variant, held_by, variant_of
from pyl.deploy.target import Target
from pyl.errors import UsageError
from pyl.packaging import interpreted
from pyl.packaging.lifecycle import runtime_for
from pyl.packaging.package import Kind
from pyl.project.model import Function, Project


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """The texts by which a tool names what only the deployment knows."""

    partition: str
    region: str
    account: str


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One function of a template."""

    target: Target
    package: Path
    """The zip; it need not be built yet."""
    asked: str
    """The runtime that configuration or build asks for."""
    runtime: str
    """The one that AWS takes instead, once it takes that one no more."""
    architecture: Architecture

    @property
    def function(self) -> Function:
        """The function."""
        return self.target.function


def subjects(
    project: Project,
    functions: Sequence[Function],
    surroundings: Surroundings,
    *,
    kind: Kind,
    package: Path | None,
    today: dt.date,
) -> list[Subject]:
    """The functions with their packages: `package`, or those that `pyl build` makes.

    Raises:
        UsageError: `package` is not what a function needs.
    """
    owner = owner_of(project)
    found = []
    for function in functions:
        variant = variant_of(project, function, held_by(package).kind if package else kind)
        if package and variant.kind != held_by(package).kind:
            runtime = function.configuration.deployment.runtime
            msg = f"{function.name} is to run on {runtime}, and {package.name} is not for that"
            raise UsageError(msg, hint="name the functions that the package is for")
        target = Target(
            function=function,
            owner=owner,
            region=surroundings.region,
            account=surroundings.account,
            partition=surroundings.partition,
        )
        asked = _runtime(project, function, variant)
        found.append(
            Subject(
                target=target,
                package=package or package_path(project, variant),
                asked=asked,
                runtime=runtime_for(asked, today),
                architecture=variant.architecture,
            )
        )
    return found


def package_path(project: Project, variant: Variant) -> Path:
    """Where `pyl build` and `pyl deploy` put a package."""
    folder = project.root / "build" / "pyl"
    if variant.architecture != project.configuration.architecture:
        folder /= variant.architecture
    return folder / ("interpreted.zip" if variant.kind == "interpreted" else f"native-{variant.architecture}.zip")


def check_names(subjects: Sequence[Subject], named: Callable[[str], str]) -> None:
    """That `named` gives no two functions one name within the template.

    Raises:
        UsageError: it does.
    """
    seen: dict[str, str] = {}
    for subject in subjects:
        name = named(subject.function.name)
        other = seen.setdefault(name, subject.function.name)
        if other != subject.function.name:
            msg = f"{other} and {subject.function.name} would both be {name} in the template"
            raise UsageError(msg, hint="rename one of the two, or make a template for each")


def identifier(*parts: str) -> str:
    """`OrderPlacedRule`: a name within a template, of letters and digits."""
    words = re.findall(r"[A-Za-z0-9]+", " ".join(parts))
    return "".join(word[:1].upper() + word[1:] for word in words)


def _runtime(project: Project, function: Function, variant: Variant) -> str:
    default = project.configuration.target if variant.kind == "native" else interpreted.runtime()
    return function.configuration.deployment.runtime or default
