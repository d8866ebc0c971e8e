"""Gets the kernels of Debian's releases, as close as they come to those that Lambda has run on."""

from __future__ import annotations

import lzma
import subprocess
from dataclasses import dataclass
from pathlib import Path

RELEASES = {"5.10": "bullseye", "6.1": "bookworm", "6.12": "bookworm-backports"}
"""Kernel to the release of Debian that carries it."""
MIRROR = "http://deb.debian.org/debian"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
META_PACKAGE = "linux-image-cloud-amd64"
DISK_MODULES = ("virtio", "virtio_ring", "virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio_pci", "virtio_blk")
"""What a disk of QEMU's takes, as far as it is not built into a kernel, in the order in which it is loaded."""


@dataclass(frozen=True)
class Kernel:
    file: Path
    """To boot."""
    modules: tuple[bytes, ...]


def kernel(version: str, folder: Path) -> Kernel:
    """A kernel; kept in `folder`, so it is downloaded once."""
    work, place = folder / f"apt-{version}", folder / f"vmlinuz-{version}"
    if not place.exists():
        for name in ("lists/partial", "cache/archives/partial"):
            (work / name).mkdir(parents=True, exist_ok=True)
        (work / "sources.list").write_text(f"deb [signed-by={KEYRING}] {MIRROR} {RELEASES[version]} main\n")
        _apt(work, "apt-get", "update")
        facts = _apt(work, "apt-cache", "show", "--no-all-versions", META_PACKAGE)
        package = facts.split("\nDepends: ")[1].split()[0].rstrip(",")
        assert package.startswith(f"linux-image-{version}"), package
        _apt(work, "apt-get", "download", package)
        archive = next(work.glob("*.deb"))
        subprocess.run(["dpkg-deb", "--extract", archive, work / "files"], check=True)
        next((work / "files" / "boot").glob("vmlinuz-*")).rename(place)
    found = {path.name.partition(".")[0]: path for path in (work / "files").rglob("*.ko*")}
    return Kernel(place, tuple(_module(found[name]) for name in DISK_MODULES if name in found))


def _module(path: Path) -> bytes:
    content = path.read_bytes()
    return lzma.decompress(content) if path.suffix == ".xz" else content


def _apt(work: Path, *command: str) -> str:
    """Run apt with lists, cache and sources of its own: the system's stay as they are."""
    options = {
        "Dir::Etc::sourcelist": work / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State::lists": work / "lists",
        "Dir::Cache": work / "cache",
        "APT::Sandbox::User": "root",
        "APT::Default-Release": "",
    }
    told = [text for name, value in options.items() for text in ("-o", f"{name}={value}")]
    return subprocess.run(
        [command[0], *told, *command[1:]], cwd=work, check=True, capture_output=True, text=True
    ).stdout
