"""Packages of cases and their images. A package holds one case, or several of which none should spoil the image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from integration.image import packages
from pyl.image.create import FunctionFacts, capture
from pyl.image.result import CaptureResult
from pyl.lambda_facts import Deployment
from truth import dependencies
from truth.case import Case
from truth.instance import REGION

EVENT = {"name": "event"}


@dataclass(frozen=True)
class Captured:
    """A package with its image."""

    package: Path
    result: CaptureResult


def _facts(case: Case) -> FunctionFacts:
    deployment = Deployment(
        function=case.name,
        handler=f"functions.{case.name}",
        region=REGION,
        memory=case.memory_size,
        log_format=case.log_format,
        log_level="INFO" if case.log_format == "JSON" else None,
    )
    return FunctionFacts(dict(case.environment), deployment)


def capture_cases(base: Path, folder: Path, cases: Sequence[Case]) -> Captured:
    """Write a package with the cases' functions into `folder`, and take its image as a build does."""
    table = {case.name: f"{case.name}:handler" for case in cases}
    package = packages.with_functions(base, folder, {case.file: case.source for case in cases}, table)
    dependencies.add_distributions(package / "pyl" / "app" / "site", {name for case in cases for name in case.requires})
    common = dict(cases[0].environment) if len(cases) == 1 else {}
    result = capture(
        package,
        environment=common,
        functions={case.name: _facts(case) for case in cases},
        warm_up={case.name: EVENT for case in cases if case.warm_up},
    )
    return Captured(package, result)
