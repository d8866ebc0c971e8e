"""`[tool.pyl.bench.<name>]`: further ways to run the functions, which `pyl bench` measures beside its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pyl.project.config.keys import Key, Kind
from pyl.project.config.pyproject import TABLE, Document
from pyl.project.config.toml_positions import KeyPath
from pyl.project.diagnostics import Code, Diagnostic
from pyl.project.model import BenchVariant

OWN = ("interpreted", "native", "native-plain", "floor", "floor-glibc")
"""Names of the suite's variants."""

BENCH_KEYS: tuple[Key, ...] = (
    Key(
        name="path",
        kind=Kind.STRING,
        meaning="Folder or zip that stands at `/var/task`, or an executable to be its `bootstrap`.",
        default="the project's folder",
        pattern=r".+",
        example='"bench/go"',
    ),
    Key(
        name="command",
        kind=Kind.STRINGS,
        meaning="What to run; `{task}` is where `path` stands, `{handler}` the function's handler.",
        default='`["{task}/bootstrap"]`',
        pattern=r".+",
        example='["node", "{task}/index.mjs"]',
    ),
)


Checked = Callable[[KeyPath, Mapping[str, Any], Sequence[Key]], Mapping[str, Any]]


def read_variants(
    document: Document, tables: Mapping[str, Any], checked: Checked
) -> Iterator[BenchVariant | Diagnostic]:
    """The variants, and what is wrong beyond single keys."""
    for name, table in tables.items():
        path = (*TABLE, "bench", name)
        if not isinstance(table, dict):
            hint = f"write [tool.pyl.bench.{name}]"
            yield document.diagnostic(path, Code.VALUE_TYPE, f"`bench.{name}` must be a table", hint)
        elif name in OWN:
            message = f"`bench.{name}` has the name of a variant that `pyl bench` measures anyway"
            yield document.diagnostic(path, Code.VALUE_RANGE, message, "choose another name")
        else:
            values = checked(path, table, BENCH_KEYS)
            yield BenchVariant(
                name=name,
                path=document.file.parent / values.get("path", "."),
                command=tuple(values.get("command", ())) or BenchVariant.command,
            )
