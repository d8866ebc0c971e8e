"""The program of native packages: interpreter, standard library and C library; the same for every project."""

from __future__ import annotations

import shutil
from pathlib import Path

from pyl import cache
from pyl.build import libraries, nuitka, standard_library
from pyl.progress import Progress
from pyl.project.model import Architecture

APP = "/var/task/pyl/app"
"""Where the program stands in Lambda."""

_MAIN = Path(__file__).with_name("program_main.py")


def make(architecture: Architecture, progress: Progress, log: Path) -> Path:
    """A folder, in the cache, with everything of `pyl/app` that does not depend on the project.

    It holds `program`, the shared libraries, `lib/` (standard library). Made once per Python and toolchain.
    """
    name = cache.key("program", nuitka.toolchain(), architecture, _MAIN.read_bytes())

    def build(folder: Path) -> None:
        work = folder / "work"
        work.mkdir()
        main = work / "program.py"
        shutil.copyfile(_MAIN, main)
        made = nuitka.compile_program(main, work, architecture, log=log, on_progress=progress.detail)
        (made / "program.bin").rename(made / "program")
        for part in sorted(made.iterdir()):
            shutil.move(part, folder / part.name)
        shutil.rmtree(work)
        progress.detail("standard library")
        standard_library.copy(folder / "lib", prefix=f"{APP}/lib")
        progress.detail("shared libraries")
        libraries.collect(folder, architecture)

    return cache.entry("programs", name, build)
