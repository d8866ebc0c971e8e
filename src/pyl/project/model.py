"""What a project is, once read: plain frozen data that every later stage is handed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pyl.architecture import Architecture
from pyl.project.triggers import Trigger

Builder = Literal["auto", "container", "local"]
"""`auto` is the container when an engine answers, else this host."""
ImageMode = Literal["auto", "require", "off"]
"""`auto` falls back to the base image or to none; `require` makes that an error; `off` takes none."""


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """Actions on resources that a function's own code needs."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class DeploymentConfiguration:
    """What a function is to have in AWS; what is `None` stays as AWS has it. Units and words are AWS's."""

    architecture: Architecture | None = None
    """`None`: the project's."""
    runtime: str | None = None
    """`None`: that of the package that is deployed."""
    role: str | None = None
    """`None`: pyl makes one."""
    policies: tuple[str, ...] | None = None
    allow: tuple[Allowed, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    environment_mode: Literal["merge", "replace"] = "merge"
    layers: tuple[str, ...] | None = None
    tracing: Literal["Active", "PassThrough"] | None = None
    log_retention: int | None = None
    log_format: Literal["Text", "JSON"] | None = None
    subnets: tuple[str, ...] | None = None
    """`()`: in no VPC."""
    security_groups: tuple[str, ...] | None = None
    ephemeral_storage: int | None = None
    reserved_concurrency: int | None = None
    """-1: none."""
    alias: str | None = None
    publish: bool = False
    on_success: str | None = None
    on_failure: str | None = None
    retries: int | None = None
    event_age: int | None = None
    url: Literal["public", "iam", "off"] | None = None
    url_mode: Literal["BUFFERED", "RESPONSE_STREAM"] | None = None
    url_origins: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class FunctionConfiguration:
    """`[tool.pyl.functions.<name>]` laid over the project-wide defaults of `[tool.pyl]`."""

    description: str | None = None
    memory: int = 512
    """MB, as Lambda's `MemorySize`: 128 to 10,240."""
    timeout: int = 10
    """Seconds, as Lambda's `Timeout`: 1 to 900."""
    environment: Mapping[str, str] = field(default_factory=dict)
    handler: str | None = None
    """`module:attribute` of a plain callable that is adopted without a decorator."""
    event: Path | None = None
    """A sample event file (absolute), used by `invoke` and `bench`."""
    warm_up: Path | None = None
    """An event file (absolute) with which the function is called at capture; `None` calls nothing."""
    deployment: DeploymentConfiguration = DeploymentConfiguration()
    triggers: tuple[Trigger, ...] = ()
    """What invokes it in AWS."""


@dataclass(frozen=True, kw_only=True)
class NativeConfiguration:
    """`[tool.pyl.native]`."""

    image: ImageMode = "auto"
    compile: tuple[str, ...] = ()
    """Third-party import packages to compile as well; the others stay bytecode."""
    builder: Builder = "auto"
    base_image: str | None = None
    """What the container builder compiles in; `None`: Amazon Linux as in `target`."""
    base_python: str | None = None
    """Absolute path of an interpreter in `base_image` to use; `None`: python-build-standalone's."""


@dataclass(frozen=True, kw_only=True)
class BenchVariant:
    """`[tool.pyl.bench.<name>]`: one more way to run a function, any program that asks the Runtime API for work."""

    name: str
    path: Path
    """Absolute: a zip, a folder or an executable. It need not exist before it is measured."""
    command: tuple[str, ...] = ("{task}/bootstrap",)
    """`{task}` and `{handler}` stand for where `path` is, and the function's handler."""


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """`[tool.pyl]`."""

    source: Path
    """Absolute folder that is the root of the user's modules."""
    include: tuple[str, ...] = ()
    """Glob patterns, relative to `source`, of files to package although they would be left out."""
    exclude: tuple[str, ...] = ()
    """Glob patterns, relative to `source`, of files to leave out of packages and of discovery."""
    aws_services: tuple[str, ...] | None = None
    """botocore's names of the services that packages keep the descriptions of; None for all."""
    architecture: Architecture = Architecture.X86_64
    target: str = "provided.al2"
    """Lambda runtime of native packages."""
    region: str | None = None
    prefix: str = ""
    """What names in AWS begin with."""
    bucket: str | None = None
    """S3 bucket for large packages; `None`: one that pyl makes."""
    native: NativeConfiguration = NativeConfiguration()
    defaults: FunctionConfiguration = FunctionConfiguration()
    """What holds for functions without a table of their own."""
    bench: tuple[BenchVariant, ...] = ()
    """What `pyl bench` measures besides its own variants."""
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
