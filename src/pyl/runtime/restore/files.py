"""Files that the import opened in the package and in /tmp, and that a restored process opens again."""

from __future__ import annotations

import os
import stat

from pyl.lambda_environment import TASK_ROOT, TEMPORARY

_STANDARD_STREAMS = 3


class OpenFile:
    """A regular file or a folder, open in this process.

    Lambda never changes the package's folder, and what the import left in /tmp comes back: only these are the same
    after a restore.

    Attributes:
        descriptor: Its file descriptor.
        is_temporary: Whether it is in /tmp.
    """

    def __init__(self, descriptor: int, path: str, position: int, flags: int) -> None:
        """Describe an open file; `position` is its offset in bytes, `flags` are those of open(2)."""
        self.descriptor = descriptor
        self.is_temporary = path.startswith(f"{TEMPORARY}/")
        self._path = path
        self._position = position
        self._flags = flags
        self._is_inheritable = os.get_inheritable(descriptor)

    def reopen(self) -> None:
        """Open the file again, with the same descriptor and at the same offset."""
        opened = os.open(self._path, self._flags)
        if opened != self.descriptor:
            os.dup2(opened, self.descriptor)
            os.close(opened)
        os.set_inheritable(self.descriptor, self._is_inheritable)
        if self._position:
            os.lseek(self.descriptor, self._position, os.SEEK_SET)


def find_reopenable() -> list[OpenFile]:
    """Return the open files that can be opened again, ordered by descriptor; none without /proc."""
    return [file for descriptor in open_descriptors() if (file := _open_file(descriptor)) is not None]


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


def _open_file(descriptor: int) -> OpenFile | None:
    try:
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        position, flags = _position_and_flags(descriptor)
        opened = os.fstat(descriptor)
        is_same = os.path.samestat(opened, os.stat(path))
    except OSError:  # it was deleted, or another thread has closed it
        return None
    is_read = flags & os.O_ACCMODE == os.O_RDONLY and not flags & os.O_PATH
    is_packaged = is_read and f"{path}/".startswith(f"{TASK_ROOT}/")
    is_plain = stat.S_ISREG(opened.st_mode) or (is_read and stat.S_ISDIR(opened.st_mode))
    if is_same and is_plain and (is_packaged or path.startswith(f"{TEMPORARY}/")):
        return OpenFile(descriptor, path, position, flags & ~(os.O_CREAT | os.O_EXCL | os.O_TRUNC))
    return None


def _position_and_flags(descriptor: int) -> tuple[int, int]:
    """Return the offset in bytes and the flags of open(2); see proc_pid_fdinfo(5)."""
    with open(f"/proc/self/fdinfo/{descriptor}") as file:
        fields = dict(line.split(":", 1) for line in file.read().splitlines() if ":" in line)
    return int(fields["pos"]), int(fields["flags"], 8)
