"""What the integration tests share: the command line as a process, projects, and their packages."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
COMMAND = (sys.executable, "-c", "from pyl.cli import main; main()")
Kind = Literal["interpreted", "native"]


def environment(**variables: str) -> dict[str, str]:
    """This process's environment without what would change what is built or invoked."""
    foreign = ("AWS_", "PYTEST_", "SOURCE_DATE", "PYL_")
    kept = {name: text for name, text in os.environ.items() if not name.startswith(foreign) or name == "PYL_CACHE_DIR"}
    return kept | {"NO_COLOR": "1", "PYL_BUILDER": "local"} | variables


@dataclass(frozen=True)
class Done:
    """How a run of `pyl` ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What was printed on stdout."""
        return json.loads(self.out)

    def succeeded(self) -> Done:
        """This, once it is certain that the command did what it was asked."""
        assert self.code == 0, self.err + self.out
        return self


def run(*arguments: str | Path, cwd: str | Path | None = None, **variables: str) -> Done:
    """Run `pyl` with these variables besides the environment's own."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)], cwd=cwd, env=environment(**variables), capture_output=True, text=True
    )
    return Done(done.returncode, done.stdout, done.stderr)


def write_project(
    folder: Path,
    files: Mapping[str, str],
    *,
    dependencies: Sequence[str] = (),
    configuration: str = "",
) -> Path:
    """A project whose sources stand in its own folder."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "pyproject.toml").write_text(
        f'[project]\nname = "{folder.name}"\nversion = "1"\ndependencies = {json.dumps(list(dependencies))}\n\n'
        f'[tool.pyl]\nregion = "us-east-1"\n{configuration}',
        encoding="utf-8",
    )
    return folder


HELLO = """\
from pyl import Context, function

@function
def hello(context: Context, event):
    return {"got": event}
"""


@dataclass(frozen=True)
class Built:
    """A project with both of its packages."""

    project: Path
    reports: Mapping[Kind, Mapping[str, Any]]
    """What `pyl build --json` printed, by kind."""
    folders: Mapping[Kind, Path] = field(default_factory=dict)
    """Where packages stand unpacked, for those that are large and often invoked."""

    def package(self, kind: Kind) -> Path:
        return self.folders.get(kind) or Path(self.reports[kind]["package"])

    def invoke(self, kind: Kind, name: str, *event: str) -> Done:
        """`pyl invoke`; the event is `{}` unless options say which."""
        package = self.folders.get(kind, kind)
        return run("invoke", name, "--project", self.project, "--package", package, *(event or ("--data", "{}")))

    def answer(self, kind: Kind, name: str, *event: str) -> Any:
        """The function's answer, decoded."""
        return self.invoke(kind, name, *event).succeeded().json


def build_both(project: Path, **variables: str) -> Built:
    """Build `project` both ways."""
    return Built(
        project,
        {
            "interpreted": run("build", "--json", "--project", project, **variables).succeeded().json,
            "native": run("build", "--native", "--json", "--project", project, **variables).succeeded().json,
        },
    )


def copy_example(name: str, folder: Path) -> Path:
    """The example as a user has it: without what was built in the checkout."""
    return Path(shutil.copytree(EXAMPLES / name, folder / name, ignore=shutil.ignore_patterns("build", "__pycache__")))
