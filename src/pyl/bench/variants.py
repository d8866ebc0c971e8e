"""The variants to compare: ways to run a function, described so that the driver can start them."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pyl.bench import managed, programs
from pyl.errors import UsageError
from pyl.image.file import names
from pyl.packaging.extraction import unpacked
from pyl.project.config.model import DEFAULT_COMMAND, BenchVariant

INTERPRETED, NATIVE, PLAIN = "interpreted", "native", "native-plain"
BASELINE, GLIBC_BASELINE = "floor", "floor-glibc"

TITLES = {
    INTERPRETED: "awslambdaric and the interpreted zip, as on the managed runtime",
    NATIVE: "native package, started from its process image",
    PLAIN: "the same native package without its process image",
    BASELINE: programs.BASELINE_TITLE,
    GLIBC_BASELINE: programs.GLIBC_BASELINE_TITLE,
}


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A way to run a function."""

    name: str
    title: str
    task: Path
    """The folder to mount at `/var/task`."""
    command: tuple[str, ...]
    """Program and arguments. `{task}` is the package's folder, `{runtime}` awslambdaric's, `{handler}` `_HANDLER`."""
    binds: Mapping[str, Path] = field(default_factory=dict)
    """More folders to mount, by the path at which the program sees them."""
    runtime: str | None = None
    """Lambda's name of the managed runtime; None for `provided.*`."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Environment variables that override Lambda's own."""

    @property
    def folders(self) -> tuple[Path, ...]:
        """Folders whose files are dropped for a cold page cache."""
        return (self.task, *self.binds.values())


def interpreted(task: Path) -> Variant:
    """Return the interpreted package as AWS's managed runtime runs it: with this Python and awslambdaric."""
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
    """Return a variant that runs a package's `bootstrap`, as `provided.*` does.

    Raises:
        UsageError: The package has no `bootstrap`.
    """
    if not (task / "bootstrap").is_file():
        msg = f"the variant {name} has no file `bootstrap` in {task}"
        raise UsageError(msg, hint="a variant is a folder or a zip with an executable `bootstrap`, or such a file")
    return Variant(name=name, title=title or TITLES.get(name, name), task=task, command=("{task}/bootstrap",))


@contextmanager
def further(configuration: BenchVariant) -> Iterator[Variant]:
    """Unpack a variant of the user's: a zip or folder with what its command needs, or an executable.

    Raises:
        UsageError: The variant, its command or its `bootstrap` does not exist.
    """
    path = configuration.path
    if not path.exists():
        msg = f"the variant {configuration.name} does not exist: there is nothing at {path}"
        raise UsageError(msg, hint=f"build it first, or correct `path` in [tool.pyl.bench.{configuration.name}]")
    if path.is_file() and path.suffix != ".zip":
        import tempfile

        with tempfile.TemporaryDirectory(prefix="pyl-variant-") as temporary:
            folder = Path(temporary)
            shutil.copy(path, folder / "bootstrap")
            folder.chmod(0o755)
            yield _of_user(configuration, folder)
        return
    with unpacked(path) as task:
        yield _of_user(configuration, task)


def _of_user(configuration: BenchVariant, task: Path) -> Variant:
    name, command = configuration.name, configuration.command
    title = f"{configuration.path.name}, as the user provided it"
    if command == DEFAULT_COMMAND:
        return started_by_bootstrap(name, task, title)
    program, *arguments = command
    executable = program if program.startswith(("/", "{")) else shutil.which(program)
    if executable is None:
        msg = f"the variant {name} runs {program}, which is not on PATH"
        raise UsageError(msg, hint=f"install it, or correct `command` in [tool.pyl.bench.{name}]")
    return Variant(name=name, title=f"{' '.join(command)}: {title}", task=task, command=(executable, *arguments))


@contextmanager
def own(interpreted_zip: Path, native_zip: Path) -> Iterator[list[Variant]]:
    """Unpack the suite's own variants of a project. `native` is among them only if there is a process image."""
    with unpacked(interpreted_zip) as one, unpacked(native_zip) as two, _without_image(two) as plain:
        suite_variants = [interpreted(one)]
        if (two / names.IMAGE).exists():
            suite_variants.append(started_by_bootstrap(NATIVE, two))
        suite_variants += [
            started_by_bootstrap(PLAIN, plain),
            started_by_bootstrap(BASELINE, programs.baseline_runtime()),
        ]
        if glibc := programs.glibc_baseline_runtime():
            suite_variants.append(started_by_bootstrap(GLIBC_BASELINE, glibc))
        yield suite_variants


@contextmanager
def _without_image(task: Path) -> Iterator[Path]:
    """Copy the package without its process image, by hard links."""
    copy = task.with_name(f"{task.name}-plain")
    shutil.copytree(task, copy, symlinks=True, copy_function=os.link)
    try:
        names.remove(copy)
        yield copy
    finally:
        shutil.rmtree(copy, ignore_errors=True)
