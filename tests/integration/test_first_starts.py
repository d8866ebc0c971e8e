"""A native build starts each function once from what it has made, and says what it saw."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from integration.projects import HELLO, Done, run, write_project

pytestmark = pytest.mark.compile

EARLIER = b"the earlier package"
OTHER = HELLO.replace("hello", "other").replace("from pyl import Context, function\n", "")


def build(folder: Path, handlers: str, *options: str, configuration: str = "") -> Done:
    project = write_project(folder / "shop", {"handlers.py": handlers}, configuration=configuration)
    out = project / "build" / "pyl"
    out.mkdir(parents=True)
    (out / "native-x86_64.zip").write_bytes(EARLIER)
    return run("build", "--native", "--builder", "local", *options, cwd=project)


def package_is_the_earlier_one(folder: Path) -> bool:
    return (folder / "shop" / "build" / "pyl" / "native-x86_64.zip").read_bytes() == EARLIER


def test_a_build_ends_with_a_line_for_each_function(tmp_path: Path) -> None:
    done = build(tmp_path, HELLO + OTHER).succeeded()
    assert re.search(r"^  process image: full$", done.out, re.MULTILINE)
    for name in ("hello", "other"):
        assert re.search(rf"^  {name} +\d+\.\d ms  full image$", done.out, re.MULTILINE)


def test_a_function_that_cannot_be_imported_is_a_failed_build(tmp_path: Path) -> None:
    done = build(tmp_path, HELLO + "\nTABLE = {}['of prices']\n")
    assert done.code == 3, done.err
    assert "hello (handlers.py:4) cannot be imported: KeyError: 'of prices'" in done.err
    assert 'handlers.py", line 7' in done.err
    assert "allow_failing_imports" in done.err
    assert package_is_the_earlier_one(tmp_path)


def test_a_function_that_ends_the_process_is_a_failed_build(tmp_path: Path) -> None:
    done = build(tmp_path, HELLO + "\nimport os\nprint('no such table', flush=True)\nos._exit(7)\n")
    assert done.code == 3, done.err
    assert "hello (handlers.py:4) cannot be imported: it ended" in done.err
    assert "no such table" in done.err
    assert package_is_the_earlier_one(tmp_path)


def test_a_project_can_allow_imports_that_fail(tmp_path: Path) -> None:
    allowed = "[tool.pyl.native]\nallow_failing_imports = true\n"
    report = build(tmp_path, HELLO + "\n1 / 0\n", "--json", configuration=allowed).succeeded().json
    (start,) = report["starts"]
    assert (start["function"], start["milliseconds"], start["image"]) == ("hello", None, "")
    assert start["reasons"] == ["cannot be imported: ZeroDivisionError: division by zero"]
    assert not package_is_the_earlier_one(tmp_path)


LOOKS = HELLO + "\nimport os\nHAS_TAIL = os.path.exists('/usr/bin/tail')\n"


def test_an_image_that_is_not_used_is_not_called_full(tmp_path: Path) -> None:
    report = build(tmp_path, LOOKS, "--json").succeeded().json
    (start,) = report["starts"]
    assert (report["image"]["kind"], start["image"]) == ("base", "base")
    assert "/usr/bin/tail" in start["reasons"][0]
    assert report["image"]["reasons"] == [f"hello: {start['reasons'][0]}"]


def test_what_is_required_is_that_it_is_used(tmp_path: Path) -> None:
    done = build(tmp_path, LOOKS, configuration='[tool.pyl.native]\nimage = "require"\n')
    assert done.code == 3, done.err
    assert "does not start from a full process image" in done.err
    assert "/usr/bin/tail" in done.err
    assert package_is_the_earlier_one(tmp_path)
