"""A case: a small handler, and what its answers must be when it starts from an image."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypedDict, Unpack

Expectation = Literal["same", "distinct", "noted"]
"""Of the answers from the image, if it is full:

`same`: each equals that of a plain start in an equal instance. `distinct`: no value appears in two starts. `noted`:
times that were read at import, or numbers that follow from them, may differ from those of a plain start, and so may
what /proc calls the program.
"""


@dataclass(frozen=True)
class Case:
    """One handler, started plainly and from the image in four instances."""

    name: str
    """Also the name of the function and of its module."""
    source: str
    """A module with a function `handler(event, context)` that returns facts as JSON."""
    expectation: Expectation = "same"
    kind: str = ""
    """The file of `truth/cases` that it is from."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Files below /opt, /mnt or /tmp that two of the four instances have, by path. There the image may give way to the
    base image."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables that the function is configured with."""
    requires: tuple[str, ...] = ()
    """Distributions of `requirements.txt` that the package contains."""
    warm_up: bool = False
    """Call the handler before the image is taken."""
    must_be_full: bool = False
    """The image must not be lost: the handler is harmless, or one that many people have."""
    is_chosen: bool = False
    """Also runs in continuous integration."""
    needs_own_package: bool = False
    """Its import changes what other modules would see, or reads what differs among the functions of a package."""
    memory_size: int = 512
    log_format: str | None = None
    """`JSON` or `Text` if the function's logging is configured."""

    @property
    def file(self) -> str:
        """Name of the module's file."""
        return f"{self.name}.py"

    @property
    def can_share(self) -> bool:
        """Whether a package may hold this function and others."""
        return not (self.needs_own_package or self.environment or self.log_format)


class Options(TypedDict, total=False):
    """Further attributes of a case that its maker takes."""

    expectation: Expectation
    requires: tuple[str, ...]
    files: Mapping[str, str]
    environment: Mapping[str, str]
    warm_up: bool
    must_be_full: bool
    is_chosen: bool
    log_format: str | None


def at_import(name: str, value: str, *, imports: str = "os", **options: Unpack[Options]) -> Case:
    """Return a case whose module evaluates an expression at import, and whose handler returns that value."""
    source = f"import {imports}\n\nFACT = {value}\n\ndef handler(event, context):\n    return FACT\n"
    return Case(name, source, **options)


def in_warm_up(name: str, value: str, *, imports: str = "os", **options: Unpack[Options]) -> Case:
    """Return a case whose handler evaluates an expression in its first call, the warm-up call, and keeps the value."""
    source = (
        f"import functools, {imports}\n\n@functools.cache\ndef fact():\n    return {value}\n\n"
        "def handler(event, context):\n    return fact()\n"
    )
    return replace(Case(name, source, **options), warm_up=True)


def in_call(name: str, value: str, *, imports: str = "os", before: str = "", **options: Unpack[Options]) -> Case:
    """Return a case whose handler evaluates an expression in each call; `before` are statements at import."""
    source = f"import {imports}\n\n{textwrap.dedent(before)}\n\ndef handler(event, context):\n    return {value}\n"
    return Case(name, source, **options)


def prepared(name: str, before: str, value: str, *, imports: str = "os", **options: Unpack[Options]) -> Case:
    """Return a case that runs statements at import, and evaluates an expression in each call."""
    return in_call(name, value, imports=imports, before=before, **options)


def alone(case: Case) -> Case:
    """Return the case with a package of its own.

    Its import changes what other modules would see, or reads what differs among the functions of a package.
    """
    return replace(case, needs_own_package=True)
