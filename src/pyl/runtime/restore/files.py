"""Files of the package that were opened at import, and are opened again in a restored process."""

from __future__ import annotations

import os
import stat

_PACKAGE = "/var/task/"
"""What Lambda never changes: only files below can be trusted to be the same after a restore."""
_STANDARD_STREAMS = 3


class PackageFile:
    """A regular file, open for reading."""

    def __init__(self, descriptor: int, path: str, position: int) -> None:
        self.descriptor = descriptor
        self._path = path
        self._position = position

    def reopen(self) -> None:
        """Let the descriptor be what it was."""
        opened = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        if opened != self.descriptor:
            os.dup2(opened, self.descriptor, inheritable=False)
            os.close(opened)
        os.lseek(self.descriptor, self._position, os.SEEK_SET)


def opened() -> list[PackageFile]:
    """The files that can be opened again, by descriptor. None where there is no /proc to tell."""
    return [file for descriptor in descriptors() if (file := _package_file(descriptor)) is not None]


def descriptors() -> list[int]:
    """The open ones, but for the standard streams. None where there is no /proc to tell."""
    try:
        listed = [int(name) for name in os.listdir("/proc/self/fd")]
    except OSError:
        return []
    return sorted(number for number in listed if number >= _STANDARD_STREAMS and _is_open(number))


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:  # that of the listing itself
        return False
    return True


def _package_file(descriptor: int) -> PackageFile | None:
    try:
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        position, flags = _position(descriptor)
        is_regular, is_read = stat.S_ISREG(os.fstat(descriptor).st_mode), flags & os.O_ACCMODE == os.O_RDONLY
    except OSError:  # another thread may have closed it
        return None
    if is_regular and is_read and path.startswith(_PACKAGE) and os.path.exists(path):
        return PackageFile(descriptor, path, position)
    return None


def _position(descriptor: int) -> tuple[int, int]:
    """(offset, flags of open(2)); see proc_pid_fdinfo(5)."""
    with open(f"/proc/self/fdinfo/{descriptor}") as file:
        fields = dict(line.split(":", 1) for line in file.read().splitlines() if ":" in line)
    return int(fields["pos"]), int(fields["flags"], 8)
