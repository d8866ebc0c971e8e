"""Puts Lambda's paths where the building machine's Python and C library have this machine's."""

from __future__ import annotations

import itertools
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from pyl.toolchain import elf

PREFIX = "/pyl"
"""Stands for the folder that Python was installed to; nothing is there, and nothing is looked for there."""

CERTIFICATES = "/etc/pki/tls"
"""Where Amazon Linux keeps `cert.pem` and `certs`, as all of Red Hat's relatives do; Debian has `/usr/lib/ssl`."""

_PUBLIC = (Path("/usr"), Path("/opt"))
"""Prefixes below these name no user."""


def text(content: str) -> str:
    """`content` without the folders that this Python was made in and installed to."""
    for folder in _own_folders():
        content = content.replace(f"{folder}/", f"{PREFIX}/")
    return content


def rewrite(app: Path) -> None:
    """Do the same in the program, its libraries and the standard library's extension modules below `app`.

    Their OpenSSL then trusts the certificates of the system that it runs on.
    """
    texts = {f"{folder}/".encode(): _as_long(PREFIX, f"{folder}/") for folder in _own_folders()}
    if folder := _certificates():
        for name in ("/cert.pem", "/certs"):
            texts[f"{folder}{name}".encode()] = _as_long(CERTIFICATES, folder) + name.encode()
    for path in itertools.chain(sorted(app.iterdir()), sorted((app / "lib" / "lib-dynload").iterdir())):
        if elf.is_elf(path):
            elf.replace_bytes(path, texts)


def _own_folders() -> Iterator[str]:
    """The folders above those of this Python, the longest first, so that none is replaced as a part of another.

    The last part of a path stays: linkers let a string that another one ends with be the end of that one, and
    `.../versions/3.11.7` ends with the version that `sys.version` is made of.
    """
    prefixes = {Path(sys.base_prefix), Path(sys.base_prefix).resolve()}
    sources = {Path(str(sysconfig.get_config_var(name) or "/")) for name in ("abs_builddir", "abs_srcdir")}
    folders = {
        str(path.parent)
        for path in prefixes | sources
        if len(str(path.parent)) > len(PREFIX) and not any(path.is_relative_to(public) for public in _PUBLIC)
    }
    yield from sorted(folders, key=lambda folder: (-len(folder), folder))


def _certificates() -> str | None:
    """OpenSSL's folder on this machine, when there is room for the target's in its place."""
    try:
        import ssl
    except ImportError:
        return None
    folder = ssl.get_default_verify_paths().openssl_cafile.removesuffix("/cert.pem")
    return folder if len(folder) >= len(CERTIFICATES) else None


def _as_long(path: str, other: str) -> bytes:
    """`path` with slashes at its end, which mean nothing there: every offset in a file stays what it was."""
    return path.ljust(len(other), "/").encode()
