"""The suite's own projects are ones that pyl accepts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from benchmarks import compute, generated, growth, workloads
from pyl.project import load_project
from pyl.project.dependencies import uv


def test_a_generated_wheel_installs_and_its_modules_import(tmp_path: Path) -> None:
    wheel = generated.write_wheel(tmp_path, "grown_package", generated.modules("grown_package", 30))
    target = tmp_path / "target"
    python = ["--python", sys.executable]
    subprocess.run([uv(), "pip", "install", "--quiet", "--offline", *python, "--target", target, wheel], check=True)
    code = "import grown_package, sys; print(sum(name.startswith('grown_package.') for name in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(target)}, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "30"


def test_a_generated_wheel_is_the_same_every_time(tmp_path: Path) -> None:
    first = generated.modules("grown_package", 3) | {"grown_package/ballast.bin": generated.incompressible(1000)}
    again = generated.modules("grown_package", 3) | {"grown_package/ballast.bin": generated.incompressible(1000)}
    assert first == again


def test_the_growth_project_has_one_function_that_imports_its_modules(tmp_path: Path) -> None:
    growth.write(tmp_path / "large", 10, 1)
    project = load_project(tmp_path / "large", environ=os.environ)
    assert [function.name for function in project.functions] == ["grown"]
    assert "import grown_package" in (tmp_path / "large" / "handlers.py").read_text()


def test_the_workloads_are_functions_that_answer_the_same_every_time(tmp_path: Path) -> None:
    source = Path(workloads.__file__).read_text()
    generated.write_project(tmp_path / "compute", "compute", source, functions=compute.FUNCTIONS, event=b"{}")
    project = load_project(tmp_path / "compute", environ=os.environ)
    assert tuple(function.name for function in project.functions) == compute.FUNCTIONS
    for name in compute.FUNCTIONS:
        work = getattr(workloads, name)
        assert work(None, {}) == work(None, {})
