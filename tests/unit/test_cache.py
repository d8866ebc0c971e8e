"""Cache entries appear whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyl import cache


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYL_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_an_entry_is_made_once() -> None:
    made = []

    def make(folder: Path) -> None:
        made.append(folder)
        (folder / "file").write_text("content")

    assert (cache.entry("kind", "name", make) / "file").read_text() == "content"
    cache.entry("kind", "name", make)
    assert len(made) == 1


def test_a_failure_leaves_no_entry_behind(own_cache: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").write_text("")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.entry("kind", "name", fail)
    assert list((own_cache / "kind").iterdir()) == []


def test_one_that_another_process_made_meanwhile_is_used(own_cache: Path) -> None:
    def make(folder: Path) -> None:
        (folder / "mine").write_text("")
        other = own_cache / "kind" / "name"
        other.mkdir()
        (other / "theirs").write_text("")

    assert [path.name for path in cache.entry("kind", "name", make).iterdir()] == ["theirs"]


def test_an_entry_that_cannot_be_renamed_into_place_is_an_error(own_cache: Path) -> None:
    def remove(folder: Path) -> None:
        folder.rmdir()

    with pytest.raises(FileNotFoundError):
        cache.entry("kind", "name", remove)
    assert list((own_cache / "kind").iterdir()) == []


def test_keys_keep_their_parts_apart() -> None:
    assert cache.key("ab", "c") != cache.key("a", "bc")
    assert cache.key("a", b"b") == cache.key("a", "b")


def test_clean_frees_everything(own_cache: Path) -> None:
    def fill(folder: Path) -> None:
        (folder / "file").write_text("12345")

    cache.entry("kind", "name", fill)
    assert cache.clean() == 5
    assert not own_cache.exists()
    assert cache.clean() == 0


def test_workspaces_have_the_same_few_paths_and_are_empty(own_cache: Path) -> None:
    with cache.workspace("piece") as first:
        (first / "left").write_text("")
        with cache.workspace("piece") as second:
            assert second != first
    with cache.workspace("piece") as again:
        assert again == first
        assert list(again.iterdir()) == []
    assert not first.exists()
