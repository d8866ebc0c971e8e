"""Boots an emulated machine that calls functions of packages, and gathers what it prints."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EMULATOR = "qemu-system-x86_64"
KERNEL_ARGUMENTS = "console=ttyS0 quiet panic=-1 clearcpuid=141"
"""141 is cmpxchg16b: QEMU's code generator emulates the kernel's use of it (6.12, slab allocator) with rare faults."""
MEMORY = 1024
PATIENCE = 1500.0
_FIRST, _FOLDER, _PROGRAM = 0o100644, 0o040755, 0o100755


@dataclass(frozen=True)
class Call:
    """One cold start, and one event."""

    package: str
    function: str
    event: Any
    environment: Mapping[str, str]

    @property
    def line(self) -> str:
        variables = [f"{name}={value}" for name, value in self.environment.items()]
        return "\t".join([self.package, self.function, json.dumps(self.event), *variables]) + "\n"


def build_init(output: Path) -> None:
    command = [sys.executable, "-m", "ziglang", "cc", "-target", "x86_64-linux-musl", "-static", "-O2", "-D_GNU_SOURCE"]
    subprocess.run([*command, "-Wall", "-o", output, Path(__file__).with_name("init.c")], check=True)


def disk(output: Path, packages: Mapping[str, Path]) -> None:
    """Write a disk with an ext4 file system of the packages: their first starts find nothing in the page cache."""
    with tempfile.TemporaryDirectory(dir=output.parent) as root:
        for name, folder in packages.items():
            shutil.copytree(folder, Path(root, name), symlinks=True)
        size = sum(path.stat().st_size for path in Path(root).rglob("*")) * 5 // 4 // 1024 + 16384
        subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", root, output, f"{size}k"], check=True)


def file_tree(output: Path, init: Path, modules: Sequence[bytes], calls: Sequence[Call]) -> None:
    """Write the machine's own files, an uncompressed cpio archive in the kernel's format ("newc")."""
    with output.open("wb") as archive:
        for name in ("packages", "modules", "var"):
            archive.write(_entry(name, _FOLDER))
        archive.write(_entry("init", _PROGRAM, init.read_bytes()))
        archive.write(_entry("plan", _FIRST, "".join(call.line for call in calls).encode()))
        for number, module in enumerate(modules):
            archive.write(_entry(f"modules/{number}", _FIRST, module))
        archive.write(_entry("TRAILER!!!", 0))


def _entry(name: str, mode: int, content: bytes = b"") -> bytes:
    text = name.encode() + b"\0"
    numbers = (0, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(text), 0)
    head = b"070701" + b"".join(b"%08X" % number for number in numbers) + text
    head += b"\0" * (-len(head) % 4)
    return head + content + b"\0" * (-len(content) % 4)


def boot(kernel: Path, processor: str, files: Path, disk: Path) -> str:
    """Everything that the machine prints until it has done its calls."""
    command = [
        EMULATOR,
        "-accel",
        "tcg",
        "-cpu",
        processor,
        "-m",
        str(MEMORY),
        "-nographic",
        "-no-reboot",
        "-net",
        "none",
    ]
    command += ["-drive", f"file={disk},format=raw,if=virtio,readonly=on"]
    command += ["-kernel", str(kernel), "-initrd", str(files), "-append", KERNEL_ARGUMENTS]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE)
    return done.stdout.decode("utf-8", "replace").replace("\r", "")


def results(printed: str) -> Iterator[tuple[str, str, str, Any]]:
    """(outcome, package, function, answer) of each call."""
    for line in printed.splitlines():
        if line.startswith("@") and line.count("\t") >= 3:
            outcome, package, function, body = line.split("\t", 3)
            yield outcome[1:], package, function, json.loads(body) if outcome == "@answer" else body
