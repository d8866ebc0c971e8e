"""Finds imports of missing packages at build time, before they fail in Lambda."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from pyl.errors import BuildError
from pyl.packaging import imports
from pyl.project.model import Project

PROVIDED = ("pyl", "functions", "snapshot_restore_py")
"""Top-level modules that every package or runtime has, besides the dependencies and the user's own."""

MANAGED = ("awslambdaric", "boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")
"""Top-level modules that the managed runtimes have."""


def check(project: Project, site: Path, *, managed: bool) -> None:
    """Check that the imports of the user's modules do not fail when the modules are loaded.

    Imports in functions, `try` and `if` may be optional, so they are not checked.

    Args:
        project: The project whose code to check.
        site: Folder with the installed dependencies.
        managed: Whether the package is for a managed runtime, which has some packages itself.

    Raises:
        BuildError: A package is missing. The message names the first import of it.
    """
    source = project.configuration.source
    known = set(sys.stdlib_module_names) | set(PROVIDED) | _top_level(site.iterdir())
    known |= _top_level(source / file.relative_to(source).parts[0] for file in project.files)
    known |= set(MANAGED if managed else ())
    for file in project.files:
        if file.suffix != ".py":
            continue
        module = ".".join(file.relative_to(source).with_suffix("").parts).removesuffix(".__init__")
        for imported in imports.read(file, module):
            top = imported.module.partition(".")[0]
            if imported.needed and top not in known:
                where = f"{file}:{imported.line}"
                msg = f"{where}: imports {imported.module}, which neither the project nor its dependencies provide"
                hint = f"add the package that provides {top} to `dependencies` in pyproject.toml"
                raise BuildError(msg, hint=hint)


def _top_level(paths: Iterable[Path]) -> set[str]:
    return {path.name.partition(".")[0] for path in paths if path.is_dir() or path.suffix in {".py", ".so", ".pyc"}}
