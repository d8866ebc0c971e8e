"""Read `[tool.pyl.bench.<name>]`: further ways to run the functions, which `pyl bench` measures beside its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pyl.project.config.conversion import build
from pyl.project.config.keys import Key
from pyl.project.config.model import BenchVariant
from pyl.project.config.pyproject import TABLE, Document
from pyl.project.config.tables import BENCH_KEYS
from pyl.project.config.toml_positions import KeyPath
from pyl.project.diagnostics import Code, Diagnostic

SUITE_VARIANTS = ("interpreted", "native", "native-plain", "floor", "floor-glibc")
"""Names of the variants that `pyl bench` always measures."""

ValidateTable = Callable[[KeyPath, Mapping[str, Any], Sequence[Key]], Mapping[str, Any]]
"""Returns the valid values of a table and reports the others."""


def read_variants(
    document: Document, tables: Mapping[str, Any], validate: ValidateTable
) -> tuple[tuple[BenchVariant, ...], list[Diagnostic]]:
    """Return the variants, and what is wrong with them besides what `validate` reports."""
    variants, diagnostics = [], []
    root = document.file.parent
    for name, table in tables.items():
        path = (*TABLE, "bench", name)
        if not isinstance(table, dict):
            hint = f"write [tool.pyl.bench.{name}]"
            diagnostics.append(document.diagnostic(path, Code.VALUE_TYPE, f"`bench.{name}` must be a table", hint))
        elif name in SUITE_VARIANTS:
            message = f"`bench.{name}` has the name of a variant that `pyl bench` measures anyway"
            diagnostics.append(document.diagnostic(path, Code.VALUE_RANGE, message, "choose another name"))
        else:
            values = {key: value for key, value in validate(path, table, BENCH_KEYS).items() if value}
            variants.append(build(BenchVariant, {"path": ".", **values}, root, name=name))
    return tuple(variants), diagnostics
