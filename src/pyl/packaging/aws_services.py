"""Removes the descriptions of AWS services that functions do not use from a package.

botocore describes all of about 420 services, which is two thirds of a package with boto3. The code alone does not show
which of them a program uses, so the user names them.
"""

from __future__ import annotations

import ast
import difflib
import shutil
from collections.abc import Container, Iterator
from pathlib import Path

from pyl.errors import BuildError, ConfigurationError
from pyl.packaging import imports
from pyl.project.model import Project

CREDENTIALS = frozenset({"signin", "sso", "sso-oidc", "sts"})
"""Services that botocore itself calls to get credentials."""

_CALLS = frozenset({"client", "resource", "create_client"})
"""Methods of boto3 and of botocore's sessions whose first argument is a service's name."""


def prune(project: Project, site: Path) -> None:
    """Remove the descriptions of services that `aws_services` does not name from botocore and boto3 in `site`.

    Does nothing if the key is not set or botocore is not installed.

    Raises:
        ConfigurationError: `aws_services` has a name that botocore does not know.
        BuildError: The project's code creates a client of a service that would be removed.
    """
    named, data = project.configuration.aws_services, site / "botocore" / "data"
    if named is None or not data.is_dir():
        return
    services = {path.name for path in data.iterdir() if path.is_dir()}
    for name in named:
        if name not in services:
            close = difflib.get_close_matches(name, services, n=1)
            msg = f"`aws_services` in [tool.pyl] names {name}, which is not a service of botocore"
            raise ConfigurationError(msg, hint=f"did you mean {close[0]}?" if close else "see `aws help services`")
    dropped = services - {*named, *CREDENTIALS}
    for file in project.files:
        if file.suffix == ".py":
            for line, name in _asked_for(file, dropped):
                msg = f"{file}:{line}: uses {name}, which `aws_services` in [tool.pyl] leaves out"
                raise BuildError(msg, hint=f'add "{name}" to `aws_services`')
    for name in dropped:
        shutil.rmtree(data / name)
        shutil.rmtree(site / "boto3" / "data" / name, ignore_errors=True)


def _asked_for(file: Path, services: Container[str]) -> Iterator[tuple[int, str]]:
    """Yield line and name for each literal service name in a call such as `boto3.client("s3")`."""
    for node in ast.walk(imports.parse(file)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _CALLS:
            names = [*node.args[:1], *(k.value for k in node.keywords if k.arg == "service_name")]
            for name in names:
                if isinstance(name, ast.Constant) and isinstance(name.value, str) and name.value in services:
                    yield node.lineno, name.value
