"""A restored process loads further libraries as a plain start does, though its loader comes from another machine."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from integration.image import packages
from integration.image.lambda_environment import Environment
from integration.image.libraries import add_library
from pyl.image.create import capture

LDCONFIG = shutil.which("ldconfig") or "/sbin/ldconfig"
LIBRARY = "libmount.so.1"
"""Of util-linux; no package holds it."""
HANDLERS = """
import ctypes
import os

FOLDER = os.path.dirname(__file__)

def load(place, mode=ctypes.DEFAULT_MODE) -> None:
    return ctypes.CDLL(f"{FOLDER}/{place}", mode)

first = load("../site/first.so")
relative = ctypes.CDLL("pyl/app/site/relative.so")
try:
    ctypes.CDLL("libnothing.so.1")
except OSError:
    pass

def handler(event, context) -> None:
    return [first.answer(), relative.answer(), load("second.so").answer()]

def names(event, context) -> None:
    return [loaded(place) for place in ("../site/first.so", "first.so", "relative.so", "second.so")]

def loaded(place) -> None:
    try:
        handle = load(place, os.RTLD_NOW | os.RTLD_NOLOAD)._handle
    except OSError:
        return None
    return [library._handle == handle for library in (first, relative)]

def system(event, context) -> None:
    return ctypes.CDLL(event).mnt_get_library_version(None) > 0
"""


@pytest.fixture
def package(base: Path, tmp_path: Path) -> Path:
    """The package of `HANDLERS` with its image, and libraries of equal length."""
    functions = {name: f"handlers:{name}" for name in ("handler", "names", "system")}
    made = packages.with_functions(base, tmp_path / "package", {"handlers.py": HANDLERS}, functions)
    for name, answer in (("first", 1), ("second", 2), ("relative", 3)):
        add_library(made, f"{name}.so", f"int answer(void) {{ return {answer}; }}\n")
    result = capture(made, environment={"AWS_REGION": "us-east-1"})
    assert (result.kind, result.reasons) == ("full", ())
    return made


@pytest.mark.parametrize("captured", ["first", "relative"])
def test_a_file_with_the_number_that_another_had_at_the_build_is_not_taken_for_it(
    package: Path, run: type[Environment], captured: str
) -> None:
    old, second = (package / "pyl" / "app" / "site" / f"{name}.so" for name in (captured, "second"))
    number, contents = old.stat().st_ino, (old.read_bytes(), second.read_bytes())
    old.rename(package / "between")
    second.rename(old)
    (package / "between").rename(second)
    for place, content in zip((old, second), contents, strict=True):
        place.write_bytes(content)
    assert second.stat().st_ino == number
    with run(package, "handler") as environment:
        assert environment.invoke() == [1, 3, 2]
        assert environment.notices == []


def test_a_library_is_known_by_each_of_its_names(package: Path, run: type[Environment]) -> None:
    with run(package, "names", plain=True) as environment:
        plain = environment.invoke()
    with run(package, "names") as environment:
        assert environment.invoke() == plain
        assert environment.notices == []
    assert plain == [[True, False], [True, False], [False, True], None]


def test_a_library_of_the_machine_is_found_though_the_build_looked_for_one_in_vain(
    package: Path, run: type[Environment]
) -> None:
    if LIBRARY not in subprocess.run([LDCONFIG, "-p"], capture_output=True, text=True).stdout:
        pytest.skip(f"this machine has no {LIBRARY}")
    for plain in (True, False):
        with run(package, "system", plain=plain) as environment:
            assert environment.invoke(LIBRARY) is True
            assert environment.notices == []
