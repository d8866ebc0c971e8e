"""Packages that several integration tests invoke are built once."""

from __future__ import annotations

import functools
from collections.abc import Callable

import pytest

from integration.projects import Built, build_both, copy_example


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Built]:
    """Examples by name, each built both ways at its first use; in a folder with a space in its name."""
    folder = tmp_path_factory.mktemp("the examples")

    @functools.cache
    def build(name: str) -> Built:
        return build_both(copy_example(name, folder))

    return build
