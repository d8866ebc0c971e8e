"""The pytest plugin: the fixture `pyl_function`, and the option `--pyl`, which chooses the form of functions."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pyl.emulator.launch import Unpacked
    from pyl.project.model import Project
    from pyl.testing.local_function import LocalFunction

FORMS = ("source", "interpreted", "native")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option `--pyl` and the settings `pyl_forms` and `pyl_project`."""
    parser.getgroup("pyl").addoption(
        "--pyl",
        action="append",
        choices=(*FORMS, "all"),
        dest="pyl_forms",
        help="Form in which `pyl_function` runs functions. Can be repeated. (default: source)",
    )
    parser.addini("pyl_forms", "Forms in which `pyl_function` runs functions.", type="args", default=["source"])
    parser.addini("pyl_project", "Folder of the project whose functions are tested.", default="")


def pytest_configure(config: pytest.Config) -> None:
    """Fail if `pyl_forms` contains an unknown form."""
    if unknown := set(_forms(config)) - set(FORMS):
        msg = f"pyl_forms: unknown form {', '.join(sorted(unknown))}; choose from {', '.join(FORMS)}"
        raise pytest.UsageError(msg)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test that uses a function once for every form."""
    if "pyl_form" in metafunc.fixturenames:
        metafunc.parametrize("pyl_form", _forms(metafunc.config), indirect=True, scope="session")


@pytest.fixture(scope="session")
def pyl_form(request: pytest.FixtureRequest) -> str:
    """Return the form in which functions run: source, interpreted or native."""
    form: str = getattr(request, "param", None) or _forms(request.config)[0]
    return form


@pytest.fixture(scope="session")
def pyl_project(pytestconfig: pytest.Config) -> Project:
    """Return the project: that of the setting `pyl_project`, or else the one that contains pytest's root folder."""
    from pyl.project import load_project
    from pyl.project.config.pyproject import find_project

    configured = pytestconfig.getini("pyl_project")
    root = pytestconfig.rootpath
    directory = root / configured if configured else _nearest_project(root) or find_project(Path())
    return load_project(directory, environ=os.environ)


@pytest.fixture(scope="session")
def pyl_package(pyl_form: str, pyl_project: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Unpacked]:
    """Yield the unpacked package of the project in a form. It is built first unless the form is source."""
    from pyl.emulator.single_environment import prepare_package
    from pyl.progress import Silent

    with prepare_package(pyl_project, _build(pyl_form, pyl_project, tmp_path_factory), Silent()) as package:
        yield package


@pytest.fixture
def pyl_function(pyl_project: Project, pyl_package: Unpacked) -> Iterator[Callable[..., LocalFunction]]:
    """Return a callable that looks up functions by name.

    A function's environment starts at its first call and ends with the test. `pyl_function("notify",
    environment={"TABLE": "test"})` sets variables besides the configured ones.
    """
    from msgspec import structs

    from pyl.cli.invoke import find_function
    from pyl.testing.local_function import LocalFunction

    with ExitStack() as stack:

        def get(name: str, *, environment: Mapping[str, str] | None = None) -> LocalFunction:
            function = find_function(pyl_project, name)
            if environment:
                merged = {**function.configuration.environment, **environment}
                function = replace(function, configuration=structs.replace(function.configuration, environment=merged))
            return stack.enter_context(LocalFunction(pyl_project, function, pyl_package))

        yield get


def _forms(config: pytest.Config) -> list[str]:
    chosen: list[str] = config.getoption("pyl_forms") or config.getini("pyl_forms")
    return list(FORMS if "all" in chosen else dict.fromkeys(chosen))


def _nearest_project(folder: Path) -> Path | None:
    """Return the nearest folder that is a project: this one or one above it."""
    return next((each for each in (folder, *folder.parents) if (each / "pyproject.toml").is_file()), None)


def _build(form: str, project: Project, folders: pytest.TempPathFactory) -> str:
    """Return what `prepare_package` takes for a form. Builds the package."""
    if form == "source":
        return form
    from pyl.cli.build import build_interpreted, build_native

    out = folders.mktemp(f"pyl-{form}")
    build = build_native if form == "native" else build_interpreted
    return str(build(project, out).path)
