"""A failed build leaves the previous package in place."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from pyl.errors import BuildError
from pyl.packaging import staging


def interrupted_build(out: Path) -> None:
    with staging.scratch(out) as folder:
        (folder / "half").write_text("half")
        raise KeyboardInterrupt


def test_scratch_is_gone_after_a_failure_and_the_earlier_package_stays(tmp_path: Path) -> None:
    (tmp_path / "interpreted.zip").write_text("earlier")
    with pytest.raises(KeyboardInterrupt):
        interrupted_build(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["interpreted.zip"]
    assert (tmp_path / "interpreted.zip").read_text() == "earlier"


def test_publish_replaces_the_earlier_package(tmp_path: Path) -> None:
    (tmp_path / "p.zip").write_text("earlier")
    with staging.scratch(tmp_path) as folder:
        (folder / "new").write_text("new")
        staging.publish(folder / "new", tmp_path / "p.zip")
    assert (tmp_path / "p.zip").read_text() == "new"


def test_a_full_disk_is_a_build_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="No space left on device") as caught, staging.scratch(tmp_path):
        raise OSError(errno.ENOSPC, "No space left on device", str(tmp_path / "x"))
    assert "free some space" in str(caught.value.hint)


def test_a_folder_that_cannot_be_made_is_a_build_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BuildError, match="file/out"), staging.scratch(tmp_path / "file" / "out"):
        pass


def test_a_file_of_the_project_that_cannot_be_read_is_named_as_that(tmp_path: Path) -> None:
    secret = "/project/secret.txt"
    with pytest.raises(BuildError, match=r"^/project/secret\.txt: Permission denied$"), staging.scratch(tmp_path):
        raise PermissionError(errno.EACCES, "Permission denied", secret)
