"""The same project gives the same bytes, wherever and by whomever it is built, and tells nothing of them."""

from __future__ import annotations

import re
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from integration.projects import Built, Kind, copy_example, run

CANARY = "canary4711"


def contents(package: Path) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(package) as archive:
        for name in archive.namelist():
            yield name, archive.read(name)


def differing(first: Path, second: Path) -> list[str]:
    """Names of the files in which two packages differ."""
    ours, theirs = dict(contents(first)), dict(contents(second))
    return [name for name in sorted({*ours, *theirs}) if ours.get(name) != theirs.get(name)]


def assert_same(first: Path, second: Path) -> None:
    assert differing(first, second) == []
    assert first.read_bytes() == second.read_bytes()


def assert_tells_nothing(package: Path) -> None:
    prefix = Path(sys.base_prefix)
    own = () if prefix.is_relative_to("/usr") else (f"{prefix}/".encode(),)
    telling = (CANARY.encode(), b".making-", b".building-", *own)
    found = [
        (name, text) for name, data in contents(package) for text in telling if text in data or text in name.encode()
    ]
    assert found == []


@pytest.mark.parametrize("options", [(), ("--layer",)], ids=["one zip", "with a layer"])
def test_an_interpreted_package_is_the_same_from_any_folder(tmp_path: Path, options: tuple[str, ...]) -> None:
    made = []
    for name in ("here", f"there {CANARY}"):
        home = tmp_path / name / CANARY
        home.mkdir(parents=True)
        project = copy_example("sqs", tmp_path / name)
        variables = {"HOME": str(home), "PYL_CACHE_DIR": str(home / "cache"), "USER": CANARY}
        made.append(run("build", "--json", *options, "--project", project, **variables).succeeded().json)
    for part in ("package", *(("layer",) if options else ())):
        assert_same(Path(made[0][part]), Path(made[1][part]))
        assert_tells_nothing(Path(made[1][part]))


@pytest.mark.compile
@pytest.mark.parametrize("kind", ["interpreted", "native"])
def test_a_package_that_is_built_again_is_the_same(example: Callable[[str], Built], tmp_path: Path, kind: Kind) -> None:
    built = example("orders")
    options = ("--native",) if kind == "native" else ()
    again = run("build", *options, "--json", "--project", built.project, "--out", tmp_path).succeeded().json
    assert_same(built.package(kind), Path(again["package"]))


@pytest.mark.compile
def test_a_native_package_that_somebody_else_compiles_is_the_same_and_tells_nothing(
    example: Callable[[str], Built], tmp_path: Path
) -> None:
    home = tmp_path / f"home of {CANARY}"
    (home / "tmp").mkdir(parents=True)
    project = copy_example("hello", home / "work")
    variables = {
        "HOME": str(home),
        "USER": CANARY,
        "LOGNAME": CANARY,
        "TMPDIR": str(home / "tmp"),
        "PYL_CACHE_DIR": str(home / ".cache" / "pyl"),
        "AWS_SECRET_ACCESS_KEY": CANARY,
    }
    made = run("build", "--native", "--json", "--project", project, **variables).succeeded().json
    assert_tells_nothing(Path(made["package"]))
    assert_same(Path(made["package"]), example("hello").package("native"))


@pytest.mark.compile
def test_a_changed_module_is_all_that_is_compiled_again(tmp_path: Path) -> None:
    project = copy_example("hello", tmp_path)
    log = project / "build" / "pyl" / "native.log"
    module = project / "src" / "prices.py"
    module.write_text(f"# {tmp_path}\nPRICE = 1\n")
    run("build", "--native", "--project", project).succeeded()
    module.write_text(f"# {tmp_path}\nPRICE = 2\n")
    run("build", "--native", "--project", project).succeeded()
    assert re.findall(r"Successfully created '.*/(.+?)\..*'", log.read_text()) == ["prices"]
    run("build", "--native", "--project", project).succeeded()
    assert "Successfully created" not in (log.read_text() if log.exists() else "")
