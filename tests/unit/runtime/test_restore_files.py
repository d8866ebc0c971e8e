"""Which open files a restored process can open again, and that it does."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyl.runtime.restore import child_processes, files
from pyl.runtime.restore.process_state import TemporaryEntry


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in the place of /var/task; `temporary` beside it is that of /tmp."""
    for name, folder in (("TASK_ROOT", "task"), ("TEMPORARY", "temporary")):
        (tmp_path / folder).mkdir()
        monkeypatch.setattr(files, name, str(tmp_path / folder))
    return tmp_path / "task"


@pytest.fixture
def opened() -> Iterator[list[int]]:
    """Descriptors that are closed after the test."""
    descriptors: list[int] = []
    yield descriptors
    for descriptor in descriptors:
        os.close(descriptor)


def found(descriptor: int) -> files.OpenFile | None:
    return next((file for file in files.find_reopenable() if file.descriptor == descriptor), None)


def test_a_file_of_the_package_goes_on_where_it_stood(package: Path, opened: list[int]) -> None:
    (package / "data").write_text("abcdef")
    descriptor = os.open(package / "data", os.O_RDONLY)
    opened.append(descriptor)
    os.read(descriptor, 2)
    file = found(descriptor)
    assert file is not None
    assert not file.is_temporary
    os.dup2(os.open("/dev/null", os.O_RDONLY), descriptor)
    file.reopen()
    assert os.read(descriptor, 9) == b"cdef"
    assert not os.get_inheritable(descriptor)


def test_a_temporary_file_is_written_on_and_not_emptied(package: Path, opened: list[int]) -> None:
    path = package.parent / "temporary" / "log"
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_TRUNC | os.O_WRONLY | os.O_APPEND)
    opened.append(descriptor)
    os.write(descriptor, b"one ")
    os.set_inheritable(descriptor, True)
    file = found(descriptor)
    assert file is not None
    assert file.is_temporary
    file.reopen()
    os.write(descriptor, b"two")
    assert path.read_bytes() == b"one two"
    assert os.get_inheritable(descriptor)


def test_a_folder_is_opened_again(package: Path, opened: list[int]) -> None:
    descriptor = os.open(package, os.O_RDONLY)
    opened.append(descriptor)
    file = found(descriptor)
    assert file is not None
    file.reopen()
    assert os.path.samestat(os.fstat(descriptor), package.stat())


@pytest.mark.parametrize("kind", ["writable in the package", "deleted", "elsewhere", "pipe"])
def test_other_descriptors_are_not_opened_again(package: Path, opened: list[int], kind: str) -> None:
    path = package / "data" if kind == "writable in the package" else package.parent / "temporary" / "data"
    path = package.parent / "data" if kind == "elsewhere" else path
    path.touch()
    opened += os.pipe() if kind == "pipe" else [os.open(path, os.O_RDWR)]
    if kind == "deleted":
        path.unlink()
    assert [found(descriptor) for descriptor in opened] == [None] * len(opened)


def test_entries_of_the_temporary_folder_are_made_again(tmp_path: Path) -> None:
    old, new, pipe = tmp_path / "old", tmp_path / "new", tmp_path / "pipe"
    old.write_text("old")
    os.utime(old, (1000, 1000))
    new.write_text("new")
    os.mkfifo(pipe)
    began = new.stat().st_mtime - 60
    entries = [TemporaryEntry(str(path), began) for path in (old, new, pipe)]
    os.utime(new, (began + 10, began + 10))  # as if it had been made at the build
    assert all(entry.can_be_made for entry in entries)
    for path, entry in zip((old, new, pipe), entries, strict=True):
        path.unlink()
        entry.write()
    assert (old.read_text(), old.stat().st_mtime) == ("old", 1000)
    assert new.stat().st_mtime > began + 10
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_children_are_recorded_until_the_watch_ends() -> None:
    started: list[str] = []
    undo = child_processes.watch(lambda: started.append("child"))
    assert os.system("true") == 0
    for end in reversed(undo):
        end()
    assert os.system("true") == 0
    assert started == ["child"]
