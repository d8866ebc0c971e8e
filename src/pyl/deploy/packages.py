"""Which package each function gets: by its runtime and architecture, built once per kind or given."""

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
from pyl.packaging import contents, interpreted
from pyl.packaging.package import Kind, Package
from pyl.project.model import Function, Project


@dataclass(frozen=True)
class Variant:
    """One package that is needed."""

    kind: Kind
    architecture: Architecture


Build = Callable[[Project, Variant], Package]
"""Makes the package of a project for the architecture of its configuration."""


def variant_of(project: Project, function: Function, kind: Kind) -> Variant:
    """What a function needs; `kind` is for functions whose runtime does not say.

    Raises:
        ConfigurationError: its runtime is that of another Python than builds.
    """
    settings = function.configuration.deployment
    architecture = settings.architecture or project.configuration.architecture
    if settings.runtime is None:
        return Variant(kind, architecture)
    if settings.runtime.startswith("provided."):
        return Variant("native", architecture)
    if settings.runtime != interpreted.runtime():
        here = interpreted.runtime()
        msg = f"{function.name} is to run on {settings.runtime}, and this Python makes packages for {here}"
        raise ConfigurationError(msg, hint=f"run pyl with Python {settings.runtime.removeprefix('python')}")
    return Variant("interpreted", architecture)


def build_packages(
    project: Project, functions: Sequence[Function], kind: Kind, build: Build
) -> Mapping[str, FunctionPackage]:
    """Build what these functions need, each package once; by function."""
    variants = {function.name: variant_of(project, function, kind) for function in functions}
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
    """Use a package that an earlier `pyl build` made; by function.

    Raises:
        UsageError: it is no package, or some function needs another one.
    """
    held = inspect_package(path)
    variants = {variant_of(project, function, held.kind) for function in functions}
    if len(variants) > 1:
        msg = "the functions need several packages, by their `runtime` and `architecture`, and --package gives one"
        raise UsageError(msg, hint="name the functions that this one is for")
    (variant,) = variants
    _check(path, held, variant, functions)
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
    """What a package says of itself."""

    kind: Kind
    functions: frozenset[str]
    architecture: str | None
    """`None`: it does not say (interpreted packages)."""


def inspect_package(path: Path) -> PackageContents:
    """Look into a package.

    Raises:
        UsageError: it is none.
    """
    try:
        with zipfile.ZipFile(path) as package:
            names = frozenset(package.namelist())
            if "pyl/manifest.json" in names:
                manifest = json.loads(package.read("pyl/manifest.json"))
                functions = frozenset(manifest["functions"])
                return PackageContents(kind="native", functions=functions, architecture=manifest["architecture"])
            if "functions.py" in names:
                table = contents.read_function_module(package.read("functions.py").decode())
                return PackageContents(kind="interpreted", functions=frozenset(table), architecture=None)
    except (OSError, zipfile.BadZipFile, ValueError, KeyError) as error:
        msg = f"{path} cannot be read as a package: {error}"
        raise UsageError(msg, hint="give a zip that `pyl build` made") from None
    msg = f"{path} is a zip, but no package of pyl"
    raise UsageError(msg, hint="give a zip that `pyl build` made")


def _check(path: Path, held: PackageContents, variant: Variant, functions: Sequence[Function]) -> None:
    """Raise a `UsageError` unless the package is what these functions need."""
    if variant.kind != held.kind:
        msg = f"{path.name} is {_article(held.kind)} package, and `runtime` asks for {_article(variant.kind)} one"
        raise UsageError(msg, hint="give the other package, or leave out --package")
    if held.architecture not in {None, variant.architecture}:
        msg = f"{path.name} is for {held.architecture}, and the functions are for {variant.architecture}"
        raise UsageError(msg, hint="give the other package, or set `architecture`")
    missing = [function.name for function in functions if function.name not in held.functions]
    if missing:
        msg = f"{path.name} does not hold {', '.join(missing)}, but {', '.join(sorted(held.functions)) or 'nothing'}"
        raise UsageError(msg, hint="build it again, or name the functions to deploy")


def _article(kind: Kind) -> str:
    return f"an {kind}" if kind == "interpreted" else f"a {kind}"


def _code(project: Project, path: Path) -> Code:
    return Code(path=path, project=owner_of(project).name("code"), bucket=project.configuration.bucket)
