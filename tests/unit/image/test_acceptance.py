"""Places that a project accepts."""

from __future__ import annotations

import pytest

from pyl.image.capture.acceptance import is_accepted, names, unused
from pyl.image.capture.judgement import Finding

SITE = "/var/task/pyl/app/site"


@pytest.mark.parametrize(
    ("entry", "place", "named"),
    [
        ("app.py:12", f"{SITE}/app.py:12", True),
        ("app.py:12", f"{SITE}/app.py:1", False),
        ("app.py:1", f"{SITE}/app.py:12", False),
        ("app.py:12", f"{SITE}/other/app.py:12", False),
        ("shop/ids.py:3", f"{SITE}/shop/ids.py:3", True),
        ("redis", f"{SITE}/redis/connection.py:80", True),
        ("redis", f"{SITE}/redis_om/model.py:80", False),
        ("six", f"{SITE}/six.py:7", True),
        ("google.auth", f"{SITE}/google/auth/iam.py:7", True),
        ("google.auth", f"{SITE}/google/cloud/iam.py:7", False),
        ("libfoo.so.1", "libfoo.so.1", True),
        ("uuid", "/var/task/pyl/app/lib/python3.11/uuid.py:8", False),
    ],
)
def test_an_entry_names_a_line_a_package_or_a_library(entry: str, place: str, named: bool) -> None:
    assert names(entry, place) == named


def test_each_place_of_a_finding_has_to_be_accepted() -> None:
    finding = Finding("something", f"{SITE}/a.py:1, {SITE}/b.py:2")
    assert not is_accepted(finding, ("a.py:1",))
    assert is_accepted(finding, ("a.py:1", "b.py:2"))


def test_credentials_are_never_accepted() -> None:
    assert not is_accepted(Finding("AWS_SECRET_ACCESS_KEY", f"{SITE}/a.py:1", is_acceptable=False), ("a.py:1",))


def test_a_finding_without_a_place_is_not_accepted() -> None:
    assert not is_accepted(Finding("something that differs", ""), ("a.py:1", "a"))


def test_entries_that_accept_nothing_are_told() -> None:
    assert unused(("a.py:1", "redis"), [Finding("random bytes", f"{SITE}/a.py:1")]) == ["redis"]
