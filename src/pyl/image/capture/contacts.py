"""What a captured program has asked its world for: each contact with the line or library that made it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from pyl.lambda_environment import APP


class Kind(StrEnum):
    """What a contact is about."""

    RANDOM = "random bytes"
    PROCESS_ID = "its process id"
    USER = "its user id"
    HOST_NAME = "the host's name"
    PROCESSORS = "the number of processors"
    FILE = "a file"
    CHILD = "another program"
    CHANGE = "a change of its process"
    DRAW = "random bytes of a library's own generator"


@dataclass(frozen=True)
class Contact:
    """One question of the program.

    Attributes:
        kind: What it asked for.
        library: File name of the library whose code asked; empty if that is not known.
        frames: `file:line` of each Python frame, innermost first; empty where Python did not run.
        detail: The path, for a file or program; the number of bytes, for random ones.
        exists: Whether the path existed.
        content: The random bytes.
        opened: Whether the file was opened, or the folder listed.
    """

    kind: Kind
    library: str
    frames: tuple[str, ...] = ()
    detail: str = ""
    exists: bool = False
    content: bytes = b""
    opened: bool = False

    @property
    def place(self) -> str:
        """`file:line` of the nearest code of the project or its dependencies, else of other code, else the library."""
        return place_in(self.frames) or self.library


_PACKAGED = f"{APP}/site/"
_OWN = f"{_PACKAGED}pyl/"
_PLUMBING = (
    "/os.py",
    "/uuid.py",
    "/random.py",
    "/secrets.py",
    "/tempfile.py",
    "/pathlib.py",
    "/socket.py",
    "/platform.py",
    "/posixpath.py",
    "/genericpath.py",
    "/subprocess.py",
    "/getpass.py",
    "/shutil.py",
    "/_collections_abc.py",
    "/io.py",
    "/functools.py",
    "/multiprocessing/context.py",
    "pyl/runtime/import_hooks.py",
    "pyl/runtime/restore/recorder.py",
    "pyl/runtime/restore/random_generators.py",
    "pyl/runtime/restore/key_generation.py",
    "/ssl.py",
)
"""Ends of the names of files through which other code asks."""


def place_in(frames: tuple[str, ...]) -> str:
    """Return the nearest of these frames in the project or its dependencies, else outside of the plumbing, else ""."""
    nearest = tuple(_user_frames(frames))
    packaged = (frame for frame in nearest if frame.startswith(_PACKAGED) and not frame.startswith(_OWN))
    return next(packaged, next(iter(nearest), ""))


def _user_frames(frames: tuple[str, ...]) -> Iterator[str]:
    """Yield `file:line` of the frames outside of the standard library's plumbing, innermost first."""
    for frame in frames:
        file = frame.rpartition(":")[0]
        if not file.startswith("<frozen") and not file.endswith(_PLUMBING):
            yield frame
