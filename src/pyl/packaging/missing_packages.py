"""Finds imports of packages that nothing provides, before Lambda does."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from pyl.errors import BuildError
from pyl.packaging import imports
from pyl.project.model import Project

PROVIDED = ("pyl", "functions", "snapshot_restore_py")
"""Top-level modules that every package or runtime has besides dependencies and the user's own."""

MANAGED = ("awslambdaric", "boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")
"""What the managed runtimes bring along."""


def check(project: Project, site: Path, *, managed: bool) -> None:
    """Raise `BuildError` for the first import, in the user's code, that would fail when its module is loaded.

    `site` is the folder with the installed dependencies. Imports inside of functions, of `try` and of `if` may
    be optional: those are not looked at.
    """
    source = project.configuration.source
    known = set(sys.stdlib_module_names) | set(PROVIDED) | _top_level(site.iterdir())
    known |= _top_level(source / file.relative_to(source).parts[0] for file in project.files)
    known |= set(MANAGED if managed else ())
    for file in project.files:
        if file.suffix != ".py":
            continue
        module = ".".join(file.relative_to(source).with_suffix("").parts).removesuffix(".__init__")
        for found in imports.read(file, module):
            top = found.module.partition(".")[0]
            if found.needed and top not in known:
                msg = (
                    f"{file}:{found.line}: imports {found.module}, which neither the project nor its dependencies hold"
                )
                hint = f"add the package that provides {top} to `dependencies` in pyproject.toml"
                raise BuildError(msg, hint=hint)


def _top_level(paths: Iterable[Path]) -> set[str]:
    return {path.name.partition(".")[0] for path in paths if path.is_dir() or path.suffix in {".py", ".so", ".pyc"}}
