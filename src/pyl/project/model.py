"""A project and its functions, as every later stage is handed them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pyl.project.config.model import Configuration, FunctionConfiguration


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
