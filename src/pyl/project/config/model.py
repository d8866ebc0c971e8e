"""Configuration as data: the tables of `[tool.pyl]`, as every later stage is handed them.

The fields that `key` describes are the keys of `pyproject.toml`; `pyl.project.config.keys` derives from them what can
be written there. The others are put together when the file is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from pyl.architecture import Architecture
from pyl.project.config.deployment import DeploymentConfiguration, ProjectDeployment
from pyl.project.config.keys import Kind, key
from pyl.project.config.triggers import Trigger

Builder = Literal["auto", "container", "local"]
"""`auto` is the container when an engine answers, else this host."""
ImageMode = Literal["auto", "require", "off"]
"""`auto` falls back to the base image or to none; `require` makes that an error; `off` takes none."""
Target = Literal["provided.al2", "provided.al2023"]
"""Lambda runtime of native packages."""

DEFAULT_TARGET: Target = "provided.al2"
DEFAULT_COMMAND = ("{task}/bootstrap",)
"""Command of a benchmark variant."""

_Glob = Annotated[str, Meta(pattern=r"^(?!.*(?:^|/)\.\.(?:/|$)).*[^/].*$")]
_AWSService = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9.-]*$")]
_Region = Annotated[str, Meta(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]+$")]
_Memory = Annotated[int, Meta(ge=128, le=10_240)]
_Timeout = Annotated[int, Meta(ge=1, le=900)]
_AcceptedPlace = Annotated[str, Meta(pattern=r"^[\w./+-]+(:[0-9]+)?$")]
_ImportName = Annotated[str, Meta(pattern=r"^[^\W\d]\w*(\.[^\W\d]\w*)*$")]
_Handler = Annotated[str, Meta(pattern=r"^[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*$")]
_ContainerImage = Annotated[str, Meta(pattern=r"^[a-z0-9][\w.:/@-]*$")]
_Executable = Annotated[str, Meta(pattern=r"^/[\w./+-]+$")]
_Description = Annotated[str, Meta(max_length=256)]


class FunctionDefaults(Struct, frozen=True, kw_only=True):
    """Settings that `[tool.pyl]` has for all functions, and that a function's own table can override."""

    memory: Annotated[_Memory, key("Memory in MB.", 512, variable="PYL_MEMORY")] = 512
    timeout: Annotated[_Timeout, key("Seconds until Lambda ends an invocation.", 10, variable="PYL_TIMEOUT")] = 10
    environment: Annotated[Mapping[str, str], key("Environment variables.", {"STAGE": "test"}, kind=Kind.VARIABLES)] = (
        field(default_factory=dict)
    )


class FunctionConfiguration(FunctionDefaults, frozen=True, kw_only=True):
    """`[tool.pyl.functions.<name>]`, with the defaults of `[tool.pyl]` where it has no value of its own."""

    description: Annotated[
        _Description | None,
        key(
            "What AWS shows as the function's description.",
            "Tells the customer",
            default="the decorator's, else the docstring's first line",
        ),
    ] = None
    handler: Annotated[
        _Handler | None, key("Plain callable to adopt as this function, without a decorator.", "legacy.app:main")
    ] = None
    event: Annotated[
        Path | None, key("JSON file with a sample event, relative to the project.", "events/order.json")
    ] = None
    """Absolute. `invoke` and `bench` use it."""
    warm_up: Annotated[
        Path | None, key("JSON file with an event that is handled when the process image is made.", "events/order.json")
    ] = None
    """Absolute."""
    deployment: DeploymentConfiguration = DeploymentConfiguration()
    triggers: tuple[Trigger, ...] = ()
    """What invokes it in AWS."""


class NativeConfiguration(Struct, frozen=True, kw_only=True):
    """`[tool.pyl.native]`."""

    image: Annotated[
        ImageMode,
        key(
            "Whether native packages start from a process image; `require` makes a fallback an error.",
            True,
            kind=Kind.IMAGE,
            default="true",
            variable="PYL_IMAGE",
        ),
    ] = "auto"
    accept: Annotated[
        tuple[_AcceptedPlace, ...],
        key(
            "Code whose random bytes, times and ids at import all instances may have in common: lines below `source`, "
            "import packages or libraries.",
            ["app.py:12", "redis"],
        ),
    ] = ()
    compile: Annotated[
        tuple[_ImportName, ...],
        key("Third-party import packages to compile as well; the others stay bytecode.", ["pydantic"]),
    ] = ()
    allow_failing_imports: Annotated[
        bool,
        key(
            "Build packages with functions that cannot be imported where they are built.",
            True,
            default="false",
        ),
    ] = False
    builder: Annotated[
        Builder,
        key(
            "What compiles native packages; `auto`: the container when an engine answers, else this host.",
            "container",
            variable="PYL_BUILDER",
        ),
    ] = "auto"
    base_image: Annotated[
        _ContainerImage | None,
        key(
            "Image that the container builder compiles in.",
            "registry.example.com/amazonlinux:2023",
            default="Amazon Linux of the `target`",
            variable="PYL_BASE_IMAGE",
        ),
    ] = None
    base_python: Annotated[
        _Executable | None,
        key(
            "Python of `base_image`, with its headers, to compile with.",
            "/usr/bin/python3",
            default="one from python-build-standalone",
            variable="PYL_BASE_PYTHON",
        ),
    ] = None


class BenchVariant(Struct, frozen=True, kw_only=True):
    """`[tool.pyl.bench.<name>]`: one more way to run a function, any program that asks the Runtime API for work."""

    name: str
    path: Annotated[
        Path,
        key(
            "Folder or zip that becomes `/var/task`, or an executable that becomes its `bootstrap`.",
            "bench/go",
            kind=Kind.STRING,
            pattern="^.+$",
            default="the project's folder",
        ),
    ]
    """Absolute. It need not exist before it is measured."""
    command: Annotated[
        tuple[Annotated[str, Meta(pattern="^.+$")], ...],
        key(
            "What to run; `{task}` is the place of `path`, `{handler}` the function's handler.",
            ["node", "{task}/index.mjs"],
        ),
    ] = DEFAULT_COMMAND


class Configuration(ProjectDeployment, frozen=True, kw_only=True):
    """`[tool.pyl]`."""

    source: Annotated[
        Path,
        key(
            "Folder, below the project's, that is the root of the modules.",
            "src",
            kind=Kind.FOLDER,
            default='`"src"` if that folder exists, else `"."`',
            variable="PYL_SOURCE",
        ),
    ]
    """Absolute."""
    include: Annotated[
        tuple[_Glob, ...], key("Patterns of files to package although they would be left out.", ["templates/**"])
    ] = ()
    """Relative to `source`."""
    exclude: Annotated[
        tuple[_Glob, ...],
        key("Patterns of files to leave out of packages, and of the search for functions.", ["scripts/**"]),
    ] = ()
    """Relative to `source`."""
    aws_services: Annotated[
        tuple[_AWSService, ...] | None,
        key(
            "The AWS services that functions use, by botocore's names: packages describe no others.",
            ["dynamodb", "s3"],
            default="all services",
        ),
    ] = None
    architecture: Annotated[
        Architecture, key("Processor of the functions.", Architecture.X86_64, variable="PYL_ARCHITECTURE")
    ] = Architecture.X86_64
    target: Annotated[Target, key("Lambda runtime of native packages.", "provided.al2", variable="PYL_TARGET")] = (
        DEFAULT_TARGET
    )
    region: Annotated[
        _Region | None,
        key(
            "AWS region of the functions.",
            "eu-central-1",
            default="`AWS_REGION`, else `AWS_DEFAULT_REGION`, else the AWS profile's",
            variable="PYL_REGION",
        ),
    ] = None
    native: NativeConfiguration = NativeConfiguration()
    defaults: FunctionConfiguration = FunctionConfiguration()
    """Configuration of functions without a table of their own."""
    bench: tuple[BenchVariant, ...] = ()
    """Variants that `pyl bench` measures in addition to its own."""
    functions: Mapping[str, FunctionConfiguration] = field(default_factory=dict)
    """Every configured function; use `Project.functions` for those that exist in the code."""
