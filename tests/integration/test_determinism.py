"""The same project gives the same bytes, wherever and by whomever it is built, and tells nothing of them."""

from __future__ import annotations

import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.projects import copy_example, run
from pyl.cache import root

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


@pytest.fixture(scope="module")
def hello(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_native(copy_example("hello", tmp_path_factory.mktemp("hello")))


def build_native(project: Path, **variables: str) -> Path:
    """The native package but for its image, which holds what chance made: addresses, keys, hash seeds."""
    done = run("build", "--native", "--json", "--project", project, PYL_IMAGE="off", **variables)
    return Path(done.succeeded().json["package"])


@pytest.mark.compile
def test_a_native_package_that_is_built_again_is_the_same(hello: Path, tmp_path: Path) -> None:
    assert_same(hello, build_native(copy_example("hello", tmp_path)))


@pytest.mark.compile
def test_a_native_package_that_somebody_else_compiles_is_the_same_and_tells_nothing(
    hello: Path, tmp_path: Path
) -> None:
    home = tmp_path / f"home of {CANARY}"
    (home / "tmp").mkdir(parents=True)
    package = build_native(
        copy_example("hello", home / "work"),
        HOME=str(home),
        USER=CANARY,
        LOGNAME=CANARY,
        TMPDIR=str(home / "tmp"),
        PYL_CACHE_DIR=str(home / ".cache" / "pyl"),
        AWS_SECRET_ACCESS_KEY=CANARY,
    )
    assert_tells_nothing(package)
    assert_same(hello, package)


@pytest.mark.compile
def test_a_process_image_tells_nothing_either(tmp_path: Path) -> None:
    home = tmp_path / f"home of {CANARY}"
    home.mkdir()
    project = copy_example("hello", home / "work")
    cache = str(root())  # what is compiled is known to tell nothing
    variables = {"HOME": str(home), "USER": CANARY, "AWS_SECRET_ACCESS_KEY": CANARY, "PYL_CACHE_DIR": cache}
    made = run("build", "--native", "--json", "--project", project, **variables).succeeded().json
    if made["image"]["kind"] == "none":
        pytest.skip(f"no process image on this machine: {made['image']['reasons']}")
    assert_tells_nothing(Path(made["package"]))


@pytest.mark.compile
def test_a_changed_module_is_all_that_is_compiled_again(tmp_path: Path) -> None:
    project = copy_example("hello", tmp_path)
    log = project / "build" / "pyl" / "native.log"
    module = project / "src" / "prices.py"
    module.write_text(f"# {tmp_path}\nPRICE = 1\n")
    build_native(project)
    module.write_text(f"# {tmp_path}\nPRICE = 2\n")
    build_native(project)
    assert re.findall(r"Successfully created '.*/(.+?)\..*'", log.read_text()) == ["prices"]
    build_native(project)
    assert "Successfully created" not in (log.read_text() if log.exists() else "")
