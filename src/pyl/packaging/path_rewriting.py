"""Replaces paths of the build machine in a package's Python and OpenSSL."""

from __future__ import annotations

import itertools
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from pyl.toolchain import elf

PREFIX = "/pyl"
"""Replaces the folder that Python was installed to. It does not exist, and nothing looks for it."""

CERTIFICATES = "/etc/pki/tls"
"""Folder of `cert.pem` and `certs` on Amazon Linux and other relatives of Red Hat. Debian's is `/usr/lib/ssl`."""

_PUBLIC = (Path("/usr"), Path("/opt"))
"""Folders whose paths contain no user's name, and so are not replaced."""


def text(content: str) -> str:
    """Return a text without the folders that this Python was built in and installed to."""
    for folder in _own_folders():
        content = content.replace(f"{folder}/", f"{PREFIX}/")
    return content


def rewrite(app: Path) -> None:
    """Replace paths in the program, its libraries and the standard library's extension modules below `app`.

    OpenSSL then uses the certificates of the system that it runs on.
    """
    texts = {f"{folder}/".encode(): _as_long(PREFIX, f"{folder}/") for folder in _own_folders()}
    if folder := _certificates():
        for name in ("/cert.pem", "/certs"):
            texts[f"{folder}{name}".encode()] = _as_long(CERTIFICATES, folder) + name.encode()
    for path in itertools.chain(sorted(app.iterdir()), sorted((app / "lib" / "lib-dynload").iterdir())):
        if elf.is_elf(path):
            elf.replace_bytes(path, texts)


def _own_folders() -> Iterator[str]:
    """Yield the parent folders of this Python's, the longest first, so that none is replaced as part of another.

    The last part of each path must stay. Linkers merge a string with the end of another one, and `.../versions/3.11.7`
    ends with the version that `sys.version` uses.
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
    """Return OpenSSL's folder on this machine; None if its path is too short to be replaced by Lambda's."""
    try:
        import ssl
    except ImportError:
        return None
    folder = ssl.get_default_verify_paths().openssl_cafile.removesuffix("/cert.pem")
    return folder if len(folder) >= len(CERTIFICATES) else None


def _as_long(path: str, other: str) -> bytes:
    """Return `path` with slashes appended until it is as long as `other`, so that no offset in a file changes."""
    return path.ljust(len(other), "/").encode()
