"""The C runtime is compiled for each architecture of Lambda, with and without process images."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from pyl.architecture import Architecture
from pyl.packaging.native_runtime import build_extension


@pytest.mark.parametrize("architecture", Architecture)
def test_it_is_compiled_for(architecture: Architecture, tmp_path: Path) -> None:
    library = tmp_path / "_native.so"
    build_extension(Path(sysconfig.get_path("include")), library, architecture)
    with library.open("rb") as file:
        assert ELFFile(file)["e_machine"] == architecture.elf_machine
