"""Packages of functions, by runtime and architecture."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from msgspec import structs

from pyl.architecture import Architecture
from pyl.deploy.code import Code
from pyl.deploy.desired_state import FunctionPackage, owner_of
from pyl.errors import ConfigurationError, UsageError
from pyl.packaging import contents as package_contents
from pyl.packaging import interpreted
from pyl.packaging.package import Kind, Package
from pyl.project.model import Function, Project


@dataclass(frozen=True)
class Variant:
    """Kind and architecture of a package."""

    kind: Kind
    architecture: Architecture


Build = Callable[[Project, Variant], Package]
"""Builds the package of a project for the architecture in its configuration."""


def select_variant(project: Project, function: Function, kind: Kind) -> Variant:
    """Return the variant that a function needs.

    Args:
        project: The project.
        function: The function.
        kind: Kind of package if the function's `runtime` does not decide it.

    Raises:
        ConfigurationError: The function's `runtime` is not the Python that runs pyl.
    """
    settings = function.configuration.deployment
    architecture = settings.architecture or project.configuration.architecture
    if settings.runtime is None:
        return Variant(kind, architecture)
    if settings.runtime.startswith("provided."):
        return Variant("native", architecture)
    if settings.runtime != interpreted.runtime():
        this_python = interpreted.runtime()
        msg = f"{function.name} has the runtime {settings.runtime}, but this Python builds packages for {this_python}"
        raise ConfigurationError(msg, hint=f"run pyl with Python {settings.runtime.removeprefix('python')}")
    return Variant("interpreted", architecture)


def build_packages(
    project: Project, functions: Sequence[Function], kind: Kind, build: Build
) -> Mapping[str, FunctionPackage]:
    """Build each package that these functions need once. Return packages by function."""
    variants = {function.name: select_variant(project, function, kind) for function in functions}
    built: dict[Variant, Package] = {}
    for variant in dict.fromkeys(variants.values()):
        configuration = structs.replace(project.configuration, architecture=variant.architecture)
        built[variant] = build(replace(project, configuration=configuration), variant)
    codes = {variant: _code(project, package.path) for variant, package in built.items()}
    return {
        function.name: FunctionPackage(
            code=codes[variants[function.name]],
            architecture=variants[function.name].architecture,
            runtime=configured_runtime(project, function, variants[function.name]),
        )
        for function in functions
    }


def use_package(project: Project, functions: Sequence[Function], path: Path) -> Mapping[str, FunctionPackage]:
    """Return an existing package as that of each function.

    Raises:
        UsageError: The file is not a package, or a function needs another one.
    """
    contents = inspect_package(path)
    variants = {select_variant(project, function, contents.kind) for function in functions}
    if len(variants) > 1:
        msg = "the functions have different runtimes or architectures, but --package is a single package"
        raise UsageError(msg, hint="name the functions that the package is for")
    (variant,) = variants
    _check(path, contents, variant, functions)
    code = _code(project, path)
    return {
        function.name: FunctionPackage(
            code=code,
            architecture=variant.architecture,
            runtime=configured_runtime(project, function, variant),
        )
        for function in functions
    }


def configured_runtime(project: Project, function: Function, variant: Variant) -> str:
    """Return the runtime that the configuration asks for, or else that of the package's kind.

    Whether AWS still accepts it for this function is decided later, see `pyl.packaging.lifecycle`.
    """
    default = project.configuration.target if variant.kind == "native" else interpreted.runtime()
    return function.configuration.deployment.runtime or default


@dataclass(frozen=True, kw_only=True)
class PackageContents:
    """Kind, functions and architecture that a package contains."""

    kind: Kind
    functions: frozenset[str]
    architecture: str | None
    """`None` if the package does not declare one (interpreted packages)."""


def inspect_package(path: Path) -> PackageContents:
    """Read the contents of a package.

    Raises:
        UsageError: The file is not a package.
    """
    try:
        with zipfile.ZipFile(path) as package:
            names = frozenset(package.namelist())
            if "pyl/manifest.json" in names:
                manifest = json.loads(package.read("pyl/manifest.json"))
                functions = frozenset(manifest["functions"])
                return PackageContents(kind="native", functions=functions, architecture=manifest["architecture"])
            if "functions.py" in names:
                table = package_contents.read_function_module(package.read("functions.py").decode())
                return PackageContents(kind="interpreted", functions=frozenset(table), architecture=None)
    except (OSError, zipfile.BadZipFile, ValueError, KeyError) as error:
        msg = f"{path} cannot be read as a package: {error}"
        raise UsageError(msg, hint="use a zip file that `pyl build` made") from None
    msg = f"{path} is a zip file, but not a pyl package"
    raise UsageError(msg, hint="use a zip file that `pyl build` made")


def _check(path: Path, contents: PackageContents, variant: Variant, functions: Sequence[Function]) -> None:
    """Check that a package suits these functions.

    Raises:
        UsageError: It does not.
    """
    if variant.kind != contents.kind:
        msg = f"{path.name} is {_article(contents.kind)} package, but the functions need {_article(variant.kind)} one"
        raise UsageError(msg, hint="use another package, or omit --package")
    if contents.architecture not in {None, variant.architecture}:
        msg = f"{path.name} is for {contents.architecture}, but the functions are for {variant.architecture}"
        raise UsageError(msg, hint="use another package, or set `architecture`")
    missing_functions = [function.name for function in functions if function.name not in contents.functions]
    if missing_functions:
        names = ", ".join(sorted(contents.functions)) or "no functions"
        msg = f"{path.name} does not contain {', '.join(missing_functions)}; it has {names}"
        raise UsageError(msg, hint="rebuild the package, or name the functions to deploy")


def _article(kind: Kind) -> str:
    return f"an {kind}" if kind == "interpreted" else f"a {kind}"


def _code(project: Project, path: Path) -> Code:
    return Code(path=path, project=owner_of(project).name("code"), bucket=project.configuration.bucket)
