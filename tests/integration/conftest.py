"""Packages that several integration tests invoke are built once."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from integration.projects import Built, build_both, copy_example
from pyl.packaging.extraction import unpacked


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Built]:
    """Examples by name, each built both ways at its first use; in a folder with a space in its name.

    Without process images, whose tests are elsewhere: these packages start plainly.
    """
    folder = tmp_path_factory.mktemp("the examples")

    @functools.cache
    def build(name: str) -> Built:
        return build_both(copy_example(name, folder), PYL_IMAGE="off")

    return build


@pytest.fixture(scope="session")
def kitchen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    """A project with every kind of thing that a function may need besides its own code.

    Without a process image: what a plain start finds is what is tested with it.
    """
    folder = tmp_path_factory.mktemp("projects") / "kitchen"
    built = build_both(Path(shutil.copytree(Path(__file__).parent / "kitchen", folder)), PYL_IMAGE="off")
    with unpacked(built.package("interpreted")) as interpreted, unpacked(built.package("native")) as native:
        yield replace(built, folders={"interpreted": interpreted, "native": native})
