"""Main program of the container: runs the local builder on the project that the driver copied there."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

from pyl import lambda_environment
from pyl.errors import PylError
from pyl.packaging.container import protocol
from pyl.packaging.container.protocol import LineProgress

TASK_ROOT = Path(lambda_environment.TASK_ROOT)


def main() -> int:
    """Build the package into `protocol.OUT`, report progress on stdout, and return the exit code."""
    from pyl.packaging import native
    from pyl.project import load_project

    progress = LineProgress()
    request = json.loads(Path(protocol.REQUEST).read_bytes())
    out = Path(protocol.OUT)
    try:
        project = load_project(Path(protocol.PROJECT), environ=request["environment"])
        functions = tuple(function for function in project.functions if function.name in request["functions"])
        with progress.following(out / native.LOG):
            package = native.build(
                replace(project, functions=functions), out, progress, site=Path(protocol.SITE), task=TASK_ROOT
            )
    except PylError as error:
        progress.say(error=protocol.described(error))
        return error.exit_code
    progress.say(package=package.to_json())
    return 0


if __name__ == "__main__":
    sys.exit(main())
