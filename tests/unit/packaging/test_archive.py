"""Zips depend on their content only."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from pyl.errors import BuildError
from pyl.packaging import archive


def tree(folder: Path) -> Path:
    (folder / "b").mkdir(parents=True)
    (folder / "b" / "data.txt").write_text("data")
    (folder / "a.py").write_text("print()")
    (folder / "bootstrap").write_bytes(b"\x7fELF")
    (folder / "bootstrap").chmod(0o700)
    return folder


def test_the_same_files_give_the_same_bytes_whatever_their_dates(tmp_path: Path) -> None:
    first, second = tree(tmp_path / "1"), tree(tmp_path / "2")
    os.utime(second / "a.py", (1, 1_000_000_000))
    archive.write(first, tmp_path / "1.zip", environ={})
    archive.write(second, tmp_path / "2.zip", environ={})
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()


def test_another_content_gives_other_bytes(tmp_path: Path) -> None:
    first, second = tree(tmp_path / "1"), tree(tmp_path / "2")
    (second / "a.py").write_text("print(1)")
    archive.write(first, tmp_path / "1.zip", environ={})
    archive.write(second, tmp_path / "2.zip", environ={})
    assert (tmp_path / "1.zip").read_bytes() != (tmp_path / "2.zip").read_bytes()


def test_entries_are_ordered_dated_and_readable_by_every_user(tmp_path: Path) -> None:
    archive.write(tree(tmp_path / "t"), tmp_path / "t.zip", environ={})
    with zipfile.ZipFile(tmp_path / "t.zip") as archive_file:
        infos = archive_file.infolist()
    assert [info.filename for info in infos] == ["a.py", "b/data.txt", "bootstrap"]
    assert [oct(info.external_attr >> 16) for info in infos] == ["0o100644", "0o100644", "0o100755"]
    assert {info.date_time for info in infos} == {(1980, 1, 1, 0, 0, 0)}


def test_the_date_is_source_date_epoch_where_that_is_set(tmp_path: Path) -> None:
    archive.write(tree(tmp_path / "t"), tmp_path / "t.zip", environ={"SOURCE_DATE_EPOCH": "1700000000"})
    with zipfile.ZipFile(tmp_path / "t.zip") as archive_file:
        assert archive_file.infolist()[0].date_time == (2023, 11, 14, 22, 13, 20)


def test_what_is_in_it_comes_out_again(tmp_path: Path) -> None:
    folder = tree(tmp_path / "t")
    (folder / "empty").touch()
    (folder / "größe.txt").write_text("text " * 10_000)
    (folder / "random").write_bytes(os.urandom(10_000))
    archive.write(folder, tmp_path / "t.zip", environ={})
    with zipfile.ZipFile(tmp_path / "t.zip") as archive_file:
        assert archive_file.testzip() is None
        names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
        assert {name: archive_file.read(name) for name in archive_file.namelist()} == {
            name: (folder / name).read_bytes() for name in names
        }
        assert {info.filename: info.compress_type for info in archive_file.infolist()} == {
            name: zipfile.ZIP_DEFLATED if name == "größe.txt" else zipfile.ZIP_STORED for name in names
        }


def test_more_files_than_a_zip_can_name_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "_MOST_FILES", 2)
    with pytest.raises(BuildError, match="3 files"):
        archive.write(tree(tmp_path / "t"), tmp_path / "t.zip", environ={})
    assert not (tmp_path / "t.zip").exists()
