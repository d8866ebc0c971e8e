"""Further variants of `pyl bench` are read from configuration, and what is wrong with them is told at its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyl.project.config.configuration import read_configuration
from pyl.project.config.model import BenchVariant
from pyl.project.config.pyproject import Document, read_document
from pyl.project.diagnostics import Code, Diagnostic


def read(folder: Path, text: str) -> tuple[tuple[BenchVariant, ...], list[Diagnostic]]:
    (folder / "pyproject.toml").write_text(f"[tool.pyl]\n{text}")
    document = read_document(folder)
    assert isinstance(document, Document)
    configuration, problems = read_configuration(document, environ={}, overrides={})
    return configuration.bench, problems


def test_a_variant_is_a_path_and_a_command(tmp_path: Path) -> None:
    text = """
        [tool.pyl.bench.go]
        path = "bench/go"
        [tool.pyl.bench.node]
        path = "bench/node"
        command = ["node", "{task}/index.mjs"]
    """
    assert read(tmp_path, text) == (
        (
            BenchVariant(name="go", path=tmp_path / "bench" / "go", command=("{task}/bootstrap",)),
            BenchVariant(name="node", path=tmp_path / "bench" / "node", command=("node", "{task}/index.mjs")),
        ),
        [],
    )


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("bench = 3", Code.VALUE_TYPE, 2),
        ("bench.go = 'bench/go'", Code.VALUE_TYPE, 2),
        ("bench.native.path = 'x'", Code.VALUE_RANGE, 2),
        ("bench.go.paht = 'x'", Code.UNKNOWN_KEY, 2),
        ("[tool.pyl.bench.go]\npath = 'x'\ncommand = 'node'", Code.VALUE_TYPE, 4),
        ("[tool.pyl.bench.go]\npath = ''", Code.VALUE_RANGE, 3),
    ],
)
def test_what_is_wrong_is_told_at_its_place(tmp_path: Path, text: str, code: Code, line: int) -> None:
    _, (problem,) = read(tmp_path, text)
    assert (problem.code, problem.line) == (code, line)
