"""pyl's own C is compiled once for the same sources, and again when anything of it changes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from pyl import cache
from pyl.errors import BuildError
from pyl.toolchain.zig import compile_c

FLAGS = ("-target", "x86_64-linux-musl", "-static", "-s")


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program that says what its header says; zig's own cache is the one of always."""
    monkeypatch.setenv("PYL_CACHE_DIR", str(tmp_path / "cache"))
    usual = cache.root({name: text for name, text in os.environ.items() if name != "PYL_CACHE_DIR"})
    (tmp_path / "cache").mkdir()
    (usual / "zig").mkdir(parents=True, exist_ok=True)
    (tmp_path / "cache" / "zig").symlink_to(usual / "zig")
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "word.h").write_text('#define WORD "first"\n')
    program = tmp_path / "c" / "program.c"
    program.write_text('#include <stdio.h>\n#include "word.h"\nint main(void) { puts(WORD); return 0; }\n')
    return program


def made(source: Path) -> Path:
    output = source.parents[1] / "program"
    compile_c(FLAGS, [source], output, what="the program")
    return output


def said(program: Path) -> str:
    return subprocess.run([program], capture_output=True, text=True, check=True).stdout


def test_it_is_compiled_once_and_again_after_a_change_of_a_header(source: Path) -> None:
    assert said(made(source)) == "first\n"
    (kept,) = (cache.root() / "c").rglob("output")
    kept.write_text("#!/bin/sh\necho kept\n")
    assert said(made(source)) == "kept\n"
    (source.parent / "word.h").write_text('#define WORD "second"\n')
    assert said(made(source)) == "second\n"


def test_what_cannot_be_compiled_is_told_and_not_kept(source: Path) -> None:
    (source.parent / "word.h").write_text("#error broken\n")
    with pytest.raises(BuildError, match=r"cannot compile the program\n(?:.|\n)*broken"):
        made(source)
    assert list((cache.root() / "c").rglob("output")) == []
