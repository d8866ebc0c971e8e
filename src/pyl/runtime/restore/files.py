"""Files of the package that the import opened, and that a restored process opens again."""

from __future__ import annotations

import os
import stat

from pyl.lambda_environment import TASK_ROOT

_STANDARD_STREAMS = 3


class PackageFile:
    """A regular file of the package, open for reading.

    Lambda never changes the package's folder, so only its files are the same after a restore.

    Attributes:
        descriptor: Its file descriptor.
    """

    def __init__(self, descriptor: int, path: str, position: int) -> None:
        """Describe an open file; `position` is its offset in bytes."""
        self.descriptor = descriptor
        self._path = path
        self._position = position

    def reopen(self) -> None:
        """Open the file again, with the same descriptor and at the same offset."""
        opened = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        if opened != self.descriptor:
            os.dup2(opened, self.descriptor, inheritable=False)
            os.close(opened)
        os.lseek(self.descriptor, self._position, os.SEEK_SET)


def find_reopenable() -> list[PackageFile]:
    """Return the open files that can be opened again, ordered by descriptor; none without /proc."""
    return [file for descriptor in open_descriptors() if (file := _package_file(descriptor)) is not None]


def open_descriptors() -> list[int]:
    """Return the open file descriptors except the standard streams, in order; none without /proc."""
    try:
        descriptors = [int(name) for name in os.listdir("/proc/self/fd")]
    except OSError:
        return []
    return sorted(number for number in descriptors if number >= _STANDARD_STREAMS and _is_open(number))


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:  # the descriptor that listed the folder
        return False
    return True


def _package_file(descriptor: int) -> PackageFile | None:
    try:
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        position, flags = _position_and_flags(descriptor)
        is_regular, is_read = stat.S_ISREG(os.fstat(descriptor).st_mode), flags & os.O_ACCMODE == os.O_RDONLY
    except OSError:  # another thread may have closed it
        return None
    if is_regular and is_read and path.startswith(f"{TASK_ROOT}/") and os.path.exists(path):
        return PackageFile(descriptor, path, position)
    return None


def _position_and_flags(descriptor: int) -> tuple[int, int]:
    """Return the offset in bytes and the flags of open(2); see proc_pid_fdinfo(5)."""
    with open(f"/proc/self/fdinfo/{descriptor}") as file:
        fields = dict(line.split(":", 1) for line in file.read().splitlines() if ":" in line)
    return int(fields["pos"]), int(fields["flags"], 8)
