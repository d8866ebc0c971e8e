"""Processor shares are written in the format of both versions of cgroups, where this is allowed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pyl.sandbox import cgroups, processor_limits

_ROOT_ONLY = "0::/\n"
_SYSTEMD = "/user.slice/user-1000.slice/user@1000.service/app.slice/run-7.scope"


@pytest.fixture(autouse=True)
def plain_removal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the files of a group with it, as the kernel does; they contain ids of processes that have ended."""
    monkeypatch.setattr(processor_limits, "_remove", lambda group: shutil.rmtree(group, ignore_errors=True))


@pytest.fixture
def unified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with those files of a cgroup file system of version 2 that are read."""
    (tmp_path / "cgroup.controllers").write_text("cpuset cpu io memory pids\n")
    (tmp_path / "own").write_text(_ROOT_ONLY)
    monkeypatch.setattr(cgroups, "OWN_GROUPS", tmp_path / "own")
    return tmp_path


@pytest.mark.parametrize(("megabytes", "quota"), [(128, 1447), (512, 5788), (1769, 20000), (3538, 40000)])
def test_version_2_takes_quota_and_period_in_one_file(unified: Path, megabytes: int, quota: int) -> None:
    with processor_limits.limit_processor(megabytes, unified) as group:
        assert (group / "cpu.max").read_text() == f"{quota} 20000"
        assert (unified / "cgroup.subtree_control").read_text() == "+cpu"
        assert int((group / "cgroup.procs").read_text()) > 0


def test_version_1_takes_them_in_two(tmp_path: Path) -> None:
    (tmp_path / "cpu").mkdir()
    with processor_limits.limit_processor(512, tmp_path) as group:
        assert group.parent == tmp_path / "cpu"
        assert (group / "cpu.cfs_period_us").read_text() == "20000"
        assert (group / "cpu.cfs_quota_us").read_text() == "5788"


def test_a_user_without_the_top_gets_a_group_where_systemd_lets_them(unified: Path) -> None:
    service = unified / "user.slice" / "user-1000.slice" / "user@1000.service"
    service.mkdir(parents=True)
    places = processor_limits._parents(unified, _SYSTEMD)
    assert places[0] == unified
    assert service in places
    assert not [place for place in places if place.name == "run-7.scope"]  # it has processes of its own


def test_a_place_that_refuses_is_passed_over(unified: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (unified / "own").write_text("0::/mine/run.scope\n")
    (unified / "mine").mkdir()
    limit = processor_limits._set_quota

    def refusing(group: Path, quota: int, version: int) -> None:
        if group.parent == unified:
            raise PermissionError(13, "Permission denied")
        limit(group, quota, version)

    monkeypatch.setattr(processor_limits, "_set_quota", refusing)
    with processor_limits.limit_processor(512, unified) as group:
        assert group.parent == unified / "mine"
    assert not [place for place in unified.iterdir() if place.name.startswith("pyl-bench")]


def test_without_any_cgroup_the_reason_is_raised(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"), processor_limits.limit_processor(512, tmp_path):
        pass
