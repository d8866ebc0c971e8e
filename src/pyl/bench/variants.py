"""What is compared: one way each to run a function, described so that the driver can start it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pyl.bench import managed, programs
from pyl.emulator.unpacked import unpacked
from pyl.errors import UsageError
from pyl.image.file import names
from pyl.project.config.model import DEFAULT_COMMAND, BenchVariant

INTERPRETED, NATIVE, PLAIN = "interpreted", "native", "native-plain"
BASELINE, GLIBC_BASELINE = "floor", "floor-glibc"

TITLES = {
    INTERPRETED: "awslambdaric and the interpreted zip, as on the managed runtime",
    NATIVE: "native package, started from its process image",
    PLAIN: "the same native package, its image not used",
    BASELINE: programs.BASELINE_TITLE,
    GLIBC_BASELINE: programs.GLIBC_BASELINE_TITLE,
}


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A way to run a function."""

    name: str
    title: str
    task: Path
    """The folder that stands at `/var/task`."""
    command: tuple[str, ...]
    """`{task}`, `{runtime}` and `{handler}` stand for the package's folder, awslambdaric's, and `_HANDLER`."""
    binds: Mapping[str, Path] = field(default_factory=dict)
    """Further folders, by where the program shall see them."""
    runtime: str | None = None
    """Lambda's name of the managed runtime, None for `provided.*`."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Over Lambda's own."""

    @property
    def folders(self) -> tuple[Path, ...]:
        """All that a cold page cache does not hold."""
        return (self.task, *self.binds.values())


def interpreted(task: Path) -> Variant:
    """The interpreted package as AWS's managed runtime runs it: this Python, awslambdaric with its bytecode."""
    client, interpreter = managed.client(), managed.interpreter()
    binds = {managed.CLIENT_PLACE: client}
    if interpreter:
        binds[interpreter.prefix] = interpreter.copy
    return Variant(
        name=INTERPRETED,
        title=TITLES[INTERPRETED],
        task=task,
        command=(managed.executable(), "-S", "{runtime}/bootstrap.py", "{handler}"),
        binds=binds,
        runtime=f"python{sys.version_info.major}.{sys.version_info.minor}",
        variables={"PYTHONPATH": "/opt/python:{runtime}"},
    )


def started_by_bootstrap(name: str, task: Path, title: str | None = None) -> Variant:
    """A package for `provided.*`: whatever its `bootstrap` is."""
    if not (task / "bootstrap").is_file():
        msg = f"the variant {name} has no file `bootstrap` in {task}"
        raise UsageError(msg, hint="a variant is a folder or a zip with an executable `bootstrap`, or such a file")
    return Variant(name=name, title=title or TITLES.get(name, name), task=task, command=("{task}/bootstrap",))


@contextmanager
def further(given: BenchVariant) -> Iterator[Variant]:
    """A variant of the user's own: a zip or folder with what its command needs, or an executable to be `bootstrap`.

    Raises `UsageError` when something of it is not there.
    """
    path = given.path
    if not path.exists():
        msg = f"the variant {given.name} is at {path}, where nothing is"
        raise UsageError(msg, hint=f"build it first, or correct `path` in [tool.pyl.bench.{given.name}]")
    if path.is_file() and path.suffix != ".zip":
        import tempfile

        with tempfile.TemporaryDirectory(prefix="pyl-variant-") as temporary:
            folder = Path(temporary)
            shutil.copy(path, folder / "bootstrap")
            folder.chmod(0o755)
            yield _of_user(given, folder)
        return
    with unpacked(path) as task:
        yield _of_user(given, task)


def _of_user(given: BenchVariant, task: Path) -> Variant:
    title = f"{given.path.name}, as the user gave it"
    if given.command == DEFAULT_COMMAND:
        return started_by_bootstrap(given.name, task, title)
    program, *arguments = given.command
    found = program if program.startswith(("/", "{")) else shutil.which(program)
    if found is None:
        msg = f"the variant {given.name} runs {program}, which is not on PATH"
        raise UsageError(msg, hint=f"install it, or correct `command` in [tool.pyl.bench.{given.name}]")
    return Variant(name=given.name, title=f"{' '.join(given.command)}: {title}", task=task, command=(found, *arguments))


@contextmanager
def own(interpreted_zip: Path, native_zip: Path) -> Iterator[list[Variant]]:
    """The suite's variants of one project, from its two packages; `native` only when there is an image."""
    with unpacked(interpreted_zip) as one, unpacked(native_zip) as two, _without_image(two) as plain:
        found = [interpreted(one)]
        if (two / names.IMAGE).exists():
            found.append(started_by_bootstrap(NATIVE, two))
        found += [started_by_bootstrap(PLAIN, plain), started_by_bootstrap(BASELINE, programs.baseline_runtime())]
        if glibc := programs.glibc_baseline_runtime():
            found.append(started_by_bootstrap(GLIBC_BASELINE, glibc))
        yield found


@contextmanager
def _without_image(task: Path) -> Iterator[Path]:
    """The same package with no image in it; the files are the same ones, by hard links."""
    copy = task.with_name(f"{task.name}-plain")
    shutil.copytree(task, copy, symlinks=True, copy_function=os.link)
    try:
        names.remove(copy)
        yield copy
    finally:
        shutil.rmtree(copy, ignore_errors=True)
