"""The processor architectures of AWS Lambda, and the name that each tool has for them."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from enum import StrEnum


class Architecture(StrEnum):
    """A processor architecture. Its value is AWS's name for it (`Architectures` of `CreateFunction`)."""

    X86_64 = "x86_64"
    ARM64 = "arm64"

    @classmethod
    def host(cls) -> Architecture | None:
        """Return this machine's architecture, or None if Lambda does not have it."""
        return cls.of_machine(platform.machine())

    @classmethod
    def of_machine(cls, machine: str) -> Architecture | None:
        """Return the architecture that `platform.machine()` calls `machine`, or None if Lambda does not have it."""
        known = {name: architecture for architecture, facts in _FACTS.items() for name in facts.machines}
        return known.get(machine.lower())

    @property
    def machine(self) -> str:
        """Name in `uname -m`, in GNU triplets and in wheel tags: `aarch64`."""
        return _FACTS[self].machines[0]

    @property
    def elf_machine(self) -> str:
        """Value of an ELF file's `e_machine`, as pyelftools names it."""
        return _FACTS[self].elf_machine

    @property
    def loader(self) -> str:
        """Absolute path of glibc's dynamic loader, which the processor's ABI sets."""
        return _FACTS[self].loader

    @property
    def loader_name(self) -> str:
        """File name of glibc's dynamic loader."""
        return self.loader.rpartition("/")[2]

    @property
    def library_folders(self) -> tuple[str, ...]:
        """Folders of shared libraries, relative to `/`, in the layouts of Amazon Linux and of Debian."""
        multiarch = f"{self.machine}-linux-gnu"
        return ("lib", "lib64", f"lib/{multiarch}", "usr/lib", "usr/lib64", f"usr/lib/{multiarch}")

    @property
    def container_platform(self) -> str:
        """Platform as container engines name it: `linux/arm64`."""
        return f"linux/{_FACTS[self].container_name}"

    @property
    def musl_target(self) -> str:
        """Zig's target for static programs without glibc."""
        return f"{self.machine}-linux-musl"

    def gnu_target(self, glibc: str) -> str:
        """Return zig's target for programs that run with `glibc` (`2.26`) and later."""
        return f"{self.machine}-linux-gnu.{glibc}"

    def wheel_platform(self, policy: str) -> str:
        """Return uv's `--python-platform` for wheels of `policy` (`manylinux2014`, `manylinux_2_28`)."""
        return f"{self.machine}-{policy}"


@dataclass(frozen=True, kw_only=True)
class _Facts:
    machines: tuple[str, ...]
    """Names that operating systems report; the first one is Linux's."""
    elf_machine: str
    loader: str
    container_name: str


_FACTS = {
    Architecture.X86_64: _Facts(
        machines=("x86_64", "amd64"),
        elf_machine="EM_X86_64",
        loader="/lib64/ld-linux-x86-64.so.2",
        container_name="amd64",
    ),
    Architecture.ARM64: _Facts(
        machines=("aarch64", "arm64"),
        elf_machine="EM_AARCH64",
        loader="/lib/ld-linux-aarch64.so.1",
        container_name="arm64",
    ),
}
