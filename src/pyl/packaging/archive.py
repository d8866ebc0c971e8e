"""Writes reproducible zips: the same files result in the same bytes.

libdeflate compresses the files, on all processors. The result is about 5 % smaller than that of zlib, which the
standard library uses, but takes longer. The format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
"""

from __future__ import annotations

import functools
import os
import stat
import struct
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import deflate

from pyl.errors import BuildError
from pyl.packaging import parallel

_EARLIEST = (1980, 1, 1, 0, 0, 0)
"""Earliest date that a zip can contain."""

_LEVEL = 10
"""Compression level, of 12. Measured on native packages, relative to zlib's default level: 8 takes as long and saves
2 %, 10 takes three times as long and saves 4.5 %, 12 takes six times as long and saves 4.7 %."""

_LOCAL, _CENTRAL, _END = struct.Struct("<4s5H3L2H"), struct.Struct("<4s6H3L5H2L"), struct.Struct("<4s4H2LH")
_VERSION, _UNIX = 20, 3 << 8
_UTF_8 = 0x800
_STORED, _DEFLATED = 0, 8
_MOST_FILES = 0xFFFF
"""More files need the extension zip64. No package that fits into Lambda should need it."""


def write(folder: Path, output: Path, *, environ: Mapping[str, str] = os.environ) -> None:
    """Zip everything below `folder` to `output`, ordered by name.

    All files get the date of SOURCE_DATE_EPOCH (seconds, UTC; https://reproducible-builds.org/specs/source-date-epoch/),
    or 1980-01-01. Their permissions are 0644, or 0755 if their owner may execute them: Lambda runs as another user.

    Raises:
        BuildError: There are more files than a zip can contain.
    """
    paths = [path for path in folder.rglob("*") if not path.is_dir()]
    if len(paths) > _MOST_FILES:
        msg = f"the package has {len(paths)} files, but a zip can contain at most {_MOST_FILES}"
        raise BuildError(msg, hint="leave out dependencies or data files that no function needs")
    paths.sort(key=lambda path: path.stat().st_size, reverse=True)  # begin with those that take longest
    entries = parallel.all_of([functools.partial(_entry, folder, path) for path in paths])
    date = _date(environ)
    directory = bytearray()
    with output.open("wb") as file:
        for entry in sorted(entries, key=lambda entry: entry.name):
            directory += entry.in_directory(date, file.tell())
            file.write(entry.local(date))
        offset = file.tell()
        file.write(directory)
        file.write(_END.pack(b"PK\5\6", 0, 0, len(entries), len(entries), len(directory), offset, 0))


@dataclass(frozen=True)
class _Entry:
    """A file in a zip."""

    name: str
    mode: int
    method: int
    data: bytes
    sizes: tuple[int, int, int]
    """Checksum, compressed size and size of the file (bytes)."""

    def local(self, date: tuple[int, int]) -> bytes:
        return _LOCAL.pack(b"PK\3\4", *self._common(date)) + self.name.encode() + self.data

    def in_directory(self, date: tuple[int, int], offset: int) -> bytes:
        head = _CENTRAL.pack(b"PK\1\2", _VERSION | _UNIX, *self._common(date), 0, 0, 0, self.mode << 16, offset)
        return head + self.name.encode()

    def _common(self, date: tuple[int, int]) -> tuple[int, ...]:
        flags = 0 if self.name.isascii() else _UTF_8
        return _VERSION, flags, self.method, *date, *self.sizes, len(self.name.encode()), 0


def _entry(folder: Path, path: Path) -> _Entry:
    content = path.read_bytes()
    method, data = _DEFLATED, bytes(deflate.deflate_compress(content, _LEVEL))
    if len(data) >= len(content):
        method, data = _STORED, content
    return _Entry(
        path.relative_to(folder).as_posix(),
        stat.S_IFREG | (0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644),
        method,
        data,
        (zlib.crc32(content), len(data), len(content)),
    )


def unpacked_size(folder: Path) -> int:
    """Return the total size of all files below `folder` in bytes. Lambda's limit for it is 250 MB."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _date(environ: Mapping[str, str]) -> tuple[int, int]:
    """Return the time of day and the date in the format of zips."""
    epoch = environ.get("SOURCE_DATE_EPOCH")
    moment = max(_EARLIEST, time.gmtime(int(epoch))[:6]) if epoch else _EARLIEST
    year, month, day, hour, minute, second = moment
    return hour << 11 | minute << 5 | second // 2, (year - 1980) << 9 | month << 5 | day
