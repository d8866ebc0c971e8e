"""Files of the package that were opened at import, and are opened again in a restored process."""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

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
    return sorted(_opened(), key=lambda file: file.descriptor)


def _opened() -> Iterator[PackageFile]:
    try:
        descriptors = [int(name) for name in os.listdir("/proc/self/fd")]
    except OSError:
        return
    for descriptor in descriptors:
        try:
            path = os.readlink(f"/proc/self/fd/{descriptor}")
            regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
            position, flags = _position(descriptor)
        except OSError:  # that of the listing itself
            continue
        reading = flags & os.O_ACCMODE == os.O_RDONLY
        if (
            descriptor >= _STANDARD_STREAMS
            and regular
            and reading
            and path.startswith(_PACKAGE)
            and os.path.exists(path)
        ):
            yield PackageFile(descriptor, path, position)


def _position(descriptor: int) -> tuple[int, int]:
    """(offset, flags of open(2)); see proc_pid_fdinfo(5)."""
    with open(f"/proc/self/fdinfo/{descriptor}") as file:
        fields = dict(line.split(":", 1) for line in file.read().splitlines() if ":" in line)
    return int(fields["pos"]), int(fields["flags"], 8)
