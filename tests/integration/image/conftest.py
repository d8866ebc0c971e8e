"""A package base, made once, and what the tests of images share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from integration.image import packages
from integration.image.lambda_environment import Environment
from pyl.image.create import FunctionFacts, capture
from pyl.image.result import CaptureResult
from pyl.lambda_facts import Deployment


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package without functions around this Python."""
    return packages.make_base(tmp_path_factory.mktemp("base") / "package")


@pytest.fixture
def captured(base: Path, tmp_path: Path) -> packages.CaptureHandlers:
    """Makes a package of the given handler module, and its image."""

    def make(
        source: str,
        *functions: str,
        environment: Mapping[str, str] | None = None,
        imports: tuple[str, ...] = (),
        **options: Any,
    ) -> tuple[Path, CaptureResult]:
        table = {name: f"handlers:{name}" for name in functions or ("handler",)}
        package = packages.with_functions(base, tmp_path / "package", {"handlers.py": source}, table)
        packages.add_package(package, *imports)
        configured = environment or {}
        deployment = Deployment(
            function="under-test", handler=f"functions.{next(iter(table))}", region="us-east-1", memory=512
        )
        facts = {name: FunctionFacts(configured, deployment) for name in table}
        return package, capture(package, environment=configured, functions=facts, **options)

    return make


@pytest.fixture
def run() -> type[Environment]:
    """Starts a package as Lambda would."""
    return Environment
