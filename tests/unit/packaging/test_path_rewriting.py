"""Paths of the build machine are replaced, and nothing else changes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pyl.packaging import path_rewriting


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "base_prefix", "/home/alice/.pyenv/versions/3.11.7")


def program(folder: Path, content: bytes) -> Path:
    (folder / "lib" / "lib-dynload").mkdir(parents=True)
    (folder / "program").write_bytes(b"\x7fELF" + content)
    return folder / "program"


@pytest.mark.usefixtures("own")
def test_the_installation_folder_of_python_is_replaced(tmp_path: Path) -> None:
    rewritten = program(tmp_path, b"\0/home/alice/.pyenv/versions/3.11.7/lib\0")
    path_rewriting.rewrite(tmp_path)
    assert b"alice" not in rewritten.read_bytes()
    assert "alice" not in path_rewriting.text("'prefix': '/home/alice/.pyenv/versions/3.11.7',")


@pytest.mark.usefixtures("own")
def test_offsets_and_the_ends_of_strings_stay_as_they_were(tmp_path: Path) -> None:
    """Linkers keep `3.11.7` only once, as the end of the longer string."""
    before = b"\0/home/alice/.pyenv/versions/3.11.7\0after"
    rewritten = program(tmp_path, before)
    path_rewriting.rewrite(tmp_path)
    after = rewritten.read_bytes().removeprefix(b"\x7fELF")
    assert len(after) == len(before)
    assert after.endswith(b"/3.11.7\0after")
    assert after.startswith(b"\0/pyl/")


def test_a_python_of_the_system_keeps_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "base_prefix", "/usr/local")
    rewritten = program(tmp_path, b"\0/usr/local/lib\0")
    path_rewriting.rewrite(tmp_path)
    assert rewritten.read_bytes() == b"\x7fELF\0/usr/local/lib\0"


def test_certificates_are_looked_for_where_amazon_linux_has_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(path_rewriting, "_certificates", lambda: "/usr/local/openssl")
    rewritten = program(tmp_path, b"\0/usr/local/openssl/cert.pem\0/usr/local/openssl/certs\0/usr/local/openssl\0")
    path_rewriting.rewrite(tmp_path)
    folder = b"/etc/pki/tls".ljust(len("/usr/local/openssl"), b"/")
    assert rewritten.read_bytes() == b"\x7fELF\0%b/cert.pem\0%b/certs\0/usr/local/openssl\0" % (folder, folder)


def test_files_that_are_no_programs_are_left_alone(tmp_path: Path) -> None:
    program(tmp_path, b"")
    (tmp_path / "data").write_text(f"{sys.base_prefix}/lib")
    path_rewriting.rewrite(tmp_path)
    assert (tmp_path / "data").read_text() == f"{sys.base_prefix}/lib"
