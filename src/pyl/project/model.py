"""The configuration of a project as data, and the project itself: what every later stage is handed.

The fields with a description are the keys of `pyproject.toml`; `pyl.project.config.keys` derives from them what can be
written there. The others are put together when the file is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from pyl.architecture import Architecture
from pyl.project.config.deployment import DeploymentConfiguration, ProjectDeployment
from pyl.project.config.keys import Kind
from pyl.project.triggers import Trigger

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
_ImportName = Annotated[str, Meta(pattern=r"^[^\W\d]\w*(\.[^\W\d]\w*)*$")]
_Handler = Annotated[str, Meta(pattern=r"^[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*$")]
_ContainerImage = Annotated[str, Meta(pattern=r"^[a-z0-9][\w.:/@-]*$")]
_Executable = Annotated[str, Meta(pattern=r"^/[\w./+-]+$")]
_Description = Annotated[str, Meta(max_length=256)]


class FunctionDefaults(Struct, frozen=True, kw_only=True):
    """Settings that `[tool.pyl]` has for all functions, and that a function's own table can override."""

    memory: Annotated[_Memory, Meta(description="Memory in MB.", examples=[512], extra={"variable": "PYL_MEMORY"})] = (
        512
    )
    timeout: Annotated[
        _Timeout,
        Meta(description="Seconds until Lambda ends an invocation.", examples=[10], extra={"variable": "PYL_TIMEOUT"}),
    ] = 10
    environment: Annotated[
        Mapping[str, str],
        Meta(description="Environment variables.", examples=[{"STAGE": "test"}], extra={"kind": Kind.VARIABLES}),
    ] = field(default_factory=dict)


class FunctionConfiguration(FunctionDefaults, frozen=True, kw_only=True):
    """`[tool.pyl.functions.<name>]`, with the defaults of `[tool.pyl]` where it has no value of its own."""

    description: Annotated[
        _Description | None,
        Meta(
            description="What AWS shows as the function's description.",
            examples=["Tells the customer"],
            extra={"default": "the decorator's, else the docstring's first line"},
        ),
    ] = None
    handler: Annotated[
        _Handler | None,
        Meta(
            description="Plain callable to adopt as this function, without a decorator.",
            examples=["legacy.app:main"],
        ),
    ] = None
    event: Annotated[
        Path | None,
        Meta(description="JSON file with a sample event, relative to the project.", examples=["events/order.json"]),
    ] = None
    """Absolute. `invoke` and `bench` use it."""
    warm_up: Annotated[
        Path | None,
        Meta(
            description="JSON file with an event that is handled when the process image is made.",
            examples=["events/order.json"],
        ),
    ] = None
    """Absolute."""
    deployment: DeploymentConfiguration = DeploymentConfiguration()
    triggers: tuple[Trigger, ...] = ()
    """What invokes it in AWS."""


class NativeConfiguration(Struct, frozen=True, kw_only=True):
    """`[tool.pyl.native]`."""

    image: Annotated[
        ImageMode,
        Meta(
            description="Whether native packages start from a process image; `require` makes a fallback an error.",
            examples=[True],
            extra={"kind": Kind.IMAGE, "default": "true", "variable": "PYL_IMAGE"},
        ),
    ] = "auto"
    compile: Annotated[
        tuple[_ImportName, ...],
        Meta(
            description="Third-party import packages to compile as well; the others stay bytecode.",
            examples=[["pydantic"]],
        ),
    ] = ()
    builder: Annotated[
        Builder,
        Meta(
            description="What compiles native packages; `auto`: the container when an engine answers, else this host.",
            examples=["container"],
            extra={"variable": "PYL_BUILDER"},
        ),
    ] = "auto"
    base_image: Annotated[
        _ContainerImage | None,
        Meta(
            description="Image that the container builder compiles in.",
            examples=["registry.example.com/amazonlinux:2023"],
            extra={"default": "Amazon Linux of the `target`", "variable": "PYL_BASE_IMAGE"},
        ),
    ] = None
    base_python: Annotated[
        _Executable | None,
        Meta(
            description="Python of `base_image`, with its headers, to compile with.",
            examples=["/usr/bin/python3"],
            extra={"default": "one from python-build-standalone", "variable": "PYL_BASE_PYTHON"},
        ),
    ] = None


class BenchVariant(Struct, frozen=True, kw_only=True):
    """`[tool.pyl.bench.<name>]`: one more way to run a function, any program that asks the Runtime API for work."""

    name: str
    path: Annotated[
        Path,
        Meta(
            description="Folder or zip that becomes `/var/task`, or an executable that becomes its `bootstrap`.",
            examples=["bench/go"],
            extra={"kind": Kind.STRING, "pattern": "^.+$", "default": "the project's folder"},
        ),
    ]
    """Absolute. It need not exist before it is measured."""
    command: Annotated[
        tuple[Annotated[str, Meta(pattern="^.+$")], ...],
        Meta(
            description="What to run; `{task}` is the place of `path`, `{handler}` the function's handler.",
            examples=[["node", "{task}/index.mjs"]],
        ),
    ] = DEFAULT_COMMAND


class Configuration(ProjectDeployment, frozen=True, kw_only=True):
    """`[tool.pyl]`."""

    source: Annotated[
        Path,
        Meta(
            description="Folder, below the project's, that is the root of the modules.",
            examples=["src"],
            extra={
                "kind": Kind.FOLDER,
                "default": '`"src"` if that folder exists, else `"."`',
                "variable": "PYL_SOURCE",
            },
        ),
    ]
    """Absolute."""
    include: Annotated[
        tuple[_Glob, ...],
        Meta(description="Patterns of files to package although they would be left out.", examples=[["templates/**"]]),
    ] = ()
    """Relative to `source`."""
    exclude: Annotated[
        tuple[_Glob, ...],
        Meta(
            description="Patterns of files to leave out of packages, and of the search for functions.",
            examples=[["scripts/**"]],
        ),
    ] = ()
    """Relative to `source`."""
    aws_services: Annotated[
        tuple[_AWSService, ...] | None,
        Meta(
            description="The AWS services that functions use, by botocore's names: packages describe no others.",
            examples=[["dynamodb", "s3"]],
            extra={"default": "all services"},
        ),
    ] = None
    architecture: Annotated[
        Architecture,
        Meta(
            description="Processor of the functions.",
            examples=[Architecture.X86_64],
            extra={"variable": "PYL_ARCHITECTURE"},
        ),
    ] = Architecture.X86_64
    target: Annotated[
        Target,
        Meta(
            description="Lambda runtime of native packages.",
            examples=["provided.al2"],
            extra={"variable": "PYL_TARGET"},
        ),
    ] = DEFAULT_TARGET
    region: Annotated[
        _Region | None,
        Meta(
            description="AWS region of the functions.",
            examples=["eu-central-1"],
            extra={
                "default": "`AWS_REGION`, else `AWS_DEFAULT_REGION`, else the AWS profile's",
                "variable": "PYL_REGION",
            },
        ),
    ] = None
    native: NativeConfiguration = NativeConfiguration()
    defaults: FunctionConfiguration = FunctionConfiguration()
    """Configuration of functions without a table of their own."""
    bench: tuple[BenchVariant, ...] = ()
    """Variants that `pyl bench` measures in addition to its own."""
    functions: Mapping[str, FunctionConfiguration] = field(default_factory=dict)
    """Every configured function; use `Project.functions` for those that exist in the code."""


@dataclass(frozen=True, kw_only=True)
class Function:
    """A decorated (or adopted) Python callable; one Lambda function."""

    name: str
    module: str
    """Dotted import name, below `Configuration.source`."""
    attribute: str
    file: Path
    """Absolute."""
    line: int
    """1-based line of the `def`."""
    event: str | None
    """Annotation of the event parameter as source text, imported names resolved (`pyl.events.SQSEvent`)."""
    configuration: FunctionConfiguration
    description: str | None = None
    """Configuration over decorator over the first line of the docstring."""
    partial_batch: bool = False
    """Whether it names the records of a batch that failed, by `pyl.batch`."""


@dataclass(frozen=True, kw_only=True)
class Project:
    """A folder with `pyproject.toml` and `[tool.pyl]`."""

    root: Path
    """Absolute folder that holds `pyproject.toml`."""
    name: str
    configuration: Configuration
    functions: tuple[Function, ...]
    """Ordered by name."""
    files: tuple[Path, ...]
    """Every file below `source` that belongs into a package (code and data), absolute, ordered."""
