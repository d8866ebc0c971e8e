"""The region is looked for where AWS's own tools look."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyl.project.config.region import default_region

CONFIG = """
[default]
region = eu-west-1
s3 =
    max_concurrent_requests = 20
[profile work]
region=eu-central-1
[profile empty]
output = json
"""


@pytest.fixture
def home(tmp_path: Path) -> str:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text(CONFIG)
    return str(tmp_path)


def test_variables_come_first(home: str) -> None:
    assert default_region({"HOME": home, "AWS_REGION": "a", "AWS_DEFAULT_REGION": "b"}) == "a"
    assert default_region({"HOME": home, "AWS_REGION": "", "AWS_DEFAULT_REGION": "b"}) == "b"


def test_else_the_profile_says(home: str) -> None:
    assert default_region({"HOME": home}) == "eu-west-1"
    assert default_region({"HOME": home, "AWS_PROFILE": "work"}) == "eu-central-1"
    assert default_region({"HOME": home, "AWS_DEFAULT_PROFILE": "work"}) == "eu-central-1"
    assert default_region({"HOME": home, "AWS_PROFILE": "empty"}) is None
    assert default_region({"HOME": home, "AWS_PROFILE": "absent"}) is None


def test_the_configuration_file_may_stand_elsewhere(tmp_path: Path, home: str) -> None:
    (tmp_path / "other").write_text("[default]\nregion = us-west-2\n")
    assert default_region({"HOME": home, "AWS_CONFIG_FILE": str(tmp_path / "other")}) == "us-west-2"
    assert default_region({"HOME": home, "AWS_CONFIG_FILE": "~/other"}) == "us-west-2"
    assert default_region({"HOME": home, "AWS_CONFIG_FILE": "/no/such"}) is None


def test_without_a_home_or_with_a_broken_file_there_is_none(tmp_path: Path) -> None:
    assert default_region({}) is None
    for content in (b"region = x", b"\xff\xfe", b"[default\n"):
        (tmp_path / "broken").write_bytes(content)
        assert default_region({"AWS_CONFIG_FILE": str(tmp_path / "broken")}) is None
