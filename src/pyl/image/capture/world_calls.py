"""Answers the system calls by which a program learns where it is, and when, and records each as a contact."""

from __future__ import annotations

import contextlib
import errno
import os
import struct
import time
from dataclasses import replace
from pathlib import Path

from pyl.image.arch.interface import Processor, Registers
from pyl.image.capture.changes import CHANGING_CALLS, described_change
from pyl.image.capture.contacts import Contact, Kind
from pyl.image.capture.known import (
    RANDOM_DEVICES,
    is_foreign_function_interface,
    is_python,
    is_renewed_draw,
    is_sqlite,
    notices_forks,
    tells_processors,
)
from pyl.image.capture.traced_process import TracedProcess
from pyl.image.capture.world import World
from pyl.lambda_environment import GROUP, TASK_ROOT, TEMPORARY, USER
from pyl.sandbox import capture as capture_sandbox

_PATH_ARGUMENT = {
    "open": 0, "stat": 0, "lstat": 0, "access": 0, "readlink": 0, "execve": 0,
    "openat": 1, "newfstatat": 1, "statx": 1, "faccessat": 1, "faccessat2": 1, "readlinkat": 1,
}  # fmt: skip
"""Index of the path among the arguments of each call that takes one."""
_IDENTITY = {"getuid": USER, "geteuid": USER, "getgid": GROUP, "getegid": GROUP}
_IDENTITY_TRIPLES = {"getresuid": USER, "getresgid": GROUP}
_CLOCKS = ("clock_gettime", "gettimeofday", "time")
_KINDS = {
    "uname": Kind.HOST_NAME,
    "sched_getaffinity": Kind.PROCESSORS,
    "getppid": Kind.PROCESS_ID,
    **dict.fromkeys((*_IDENTITY, *_IDENTITY_TRIPLES), Kind.USER),
}
"""Kind of the contact of each call that is about no path, and no clock."""

_LAST_CLOCK = 11  # CLOCK_TAI
_SCHEDULED, _OF_THREAD = 2, 4
"""Bits of the number of another process's clock, with which the id is shifted by 3: linux/posix-timers.h."""
_UTSNAME_FIELD = 65
_GRND_NONBLOCK, _GRND_INSECURE = 1, 4
_HEAP_KEY_BYTES = 8
"""What glibc draws for its check of chunks that are freed twice."""
_MOST_RANDOM = 1 << 20
_MASK_BYTES = 8

_PATH_ROOM = 256
_MOST_QUESTIONS = 1000
"""Questions for the line that wants the process id: some code asks at each of its calls."""


def _standard_streams(process: int) -> dict[int, tuple[int, int]]:
    """Return device and inode of each standard stream of a process that is open."""
    streams = {}
    for stream in range(3):
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{process}/fd/{stream}").stat()
            streams[stream] = status.st_dev, status.st_ino
    return streams


def _is_stand_in(process: TracedProcess, path: str) -> bool:
    """Return whether a program is only there so that it can be found."""
    program = Path(f"/proc/{process.leader}/root{path}")
    return program.name in capture_sandbox.PROGRAMS and program.is_file() and not program.stat().st_size


def _is_heap_key(count: int, flags: int) -> bool:
    return flags == _GRND_NONBLOCK and count == _HEAP_KEY_BYTES


UNSEEN = (f"{TASK_ROOT}/", f"{TEMPORARY}/", "/dev/null", "/dev/zero", "/dev/full", "/loader")
"""Beginnings of paths that are the same in each instance, or that a restored process makes anew."""


class WorldCalls:
    """Answers for one traced run."""

    def __init__(self, processor: Processor, world: World) -> None:
        self._processor = processor
        self.world = world
        self.contacts: list[Contact] = []
        self._known_paths: set[tuple[str, bool]] = set()
        """Paths that were asked for, and whether they were opened."""
        self._questions = 0
        self._streams: dict[int, tuple[int, int]] = {}
        """Device and inode of each standard stream that the program was started with."""
        self._redirections: dict[int, Contact] = {}
        """The last call that put another file in the place of each standard stream."""
        self.stamps: set[int] = set()
        """Times of change, inode and device numbers of the files outside of the package that the program looked at,
        and of its standard streams."""

    def path_of(self, name: str, registers: Registers, process: TracedProcess) -> str | None:
        """Return the path that a call is about; None if it is about none, or one of the package or of no interest."""
        if name not in _PATH_ARGUMENT:
            return None
        try:
            path = process.memory.text(registers.arguments[_PATH_ARGUMENT[name]])
        except OSError:
            return None
        if name == "execve":
            return path
        # The working directory is the package's folder, and descriptors of folders were opened by path.
        is_seen = path.startswith("/") and not path.startswith(UNSEEN) and path not in (TASK_ROOT, TEMPORARY)
        return path if is_seen else None

    def is_worth_asking(self, name: str, registers: Registers, path: str | None) -> bool:
        """Return whether the line of Python matters that makes this call, which is about `path`."""
        if name == "getrandom":
            _, count, flags, *_ = registers.arguments
            return not _is_heap_key(count, flags)
        if name in _CLOCKS:
            return False
        if name in CHANGING_CALLS:
            return bool(described_change(name, registers.arguments))
        if name in _PATH_ARGUMENT:
            return path is not None and (path, name.startswith("open")) not in self._known_paths
        return True

    def may_ask(self) -> bool:
        """Return whether the program may be asked once more who wants its process id."""
        self._questions += 1
        return self._questions <= _MOST_QUESTIONS

    def record_process_id(self, library: str, frames: tuple[str, ...]) -> None:
        """Record that the program was told its process id."""
        if frames:
            self.contacts.append(Contact(Kind.PROCESS_ID, library, frames))

    def answer(
        self, name: str, registers: Registers, process: TracedProcess, path: str | None, frames: tuple[str, ...]
    ) -> int | None:
        """Answer a call, and record it.

        Args:
            name: Of the system call.
            registers: Of the thread that makes it.
            process: The thread's process.
            path: What `path_of` returned for the call.
            frames: `file:line` of each Python frame, if they are known.

        Returns:
            The call's result, or None if the kernel has to make it.
        """
        if name in _CLOCKS:
            return self._tell_time(name, registers, process)
        if name in _PATH_ARGUMENT:
            if path is not None:
                self._record_path(name, registers, process, path, frames)
                if name == "execve" and _is_stand_in(process, path):
                    return -errno.ENOENT
            return None
        library = process.calling_library(registers)
        if name in CHANGING_CALLS:
            self._record_change(name, registers, process, Contact(Kind.CHANGE, library, frames))
            return None
        if name == "getrandom":
            return self._draw(registers, process, library, frames)
        if name == "clone":  # it learns the child's id
            self.record_process_id(library, frames)
            return None
        self.contacts.append(Contact(_KINDS[name], library, frames))
        return self._tell_fact(name, registers, process)

    def _record_change(self, name: str, registers: Registers, process: TracedProcess, contact: Contact) -> None:
        what = described_change(name, registers.arguments)
        if not what or process.is_fork or registers.thread != process.leader:
            return
        contact = replace(contact, detail=what)
        if name.startswith("dup"):
            self._redirections[registers.arguments[1]] = contact
        else:
            self.contacts.append(contact)

    def redirections(self, process: int) -> list[Contact]:
        """Return the calls that made other files the standard streams of a process, as far as they still are."""
        now = _standard_streams(process)
        return [
            contact for stream, contact in self._redirections.items() if now.get(stream) != self._streams.get(stream)
        ]

    def _tell_fact(self, name: str, registers: Registers, process: TracedProcess) -> int | None:
        """Answer a call for one fact of the instance."""
        if name in _IDENTITY:
            return _IDENTITY[name]
        if name in _IDENTITY_TRIPLES:
            for address in registers.arguments[:3]:
                process.memory.write(address, struct.pack("<I", _IDENTITY_TRIPLES[name]))
            return 0
        if name == "getppid":
            return self.world.process_id_offset + 1
        if name == "uname":
            return self._tell_host_name(registers, process)
        return self._tell_processors(registers, process)

    def _tell_time(self, name: str, registers: Registers, process: TracedProcess) -> int | None:
        first, second, *_ = registers.arguments
        if name == "time":
            seconds = self.world.clock(0) // 10**9
            if first:
                process.memory.write(first, struct.pack("<q", seconds))
            return seconds
        if name == "gettimeofday":
            if first:
                now = self.world.clock(0)
                process.memory.write(first, struct.pack("<qq", now // 10**9, now % 10**9 // 1000))
            return 0 if not second else None
        if first > _LAST_CLOCK:
            return None
        source = None
        if first == time.CLOCK_PROCESS_CPUTIME_ID:
            source = ~process.leader << 3 | _SCHEDULED
        elif first == time.CLOCK_THREAD_CPUTIME_ID:
            source = ~registers.thread << 3 | _SCHEDULED | _OF_THREAD
        now = self.world.clock(first, source)
        process.memory.write(second, struct.pack("<qq", now // 10**9, now % 10**9))
        return 0

    def _draw(self, registers: Registers, process: TracedProcess, library: str, frames: tuple[str, ...]) -> int | None:
        address, count, flags, *_ = registers.arguments
        if not 0 < count <= _MOST_RANDOM:
            return None
        contact = Contact(Kind.RANDOM, library, frames, detail=str(count))
        is_hash_key = bool(flags & _GRND_INSECURE) and not is_foreign_function_interface(library)
        is_known = _is_heap_key(count, flags) or is_hash_key or is_renewed_draw(contact)
        is_known = is_known or process.is_reseeding(library)
        content = self.world.random_bytes(contact.place, count, kept=is_known)
        process.memory.write(address, content)
        if not is_known:
            self.contacts.append(Contact(Kind.RANDOM, library, frames, detail=str(count), content=content))
        return count

    def _tell_host_name(self, registers: Registers, process: TracedProcess) -> int:
        system = os.uname()
        fields = (system.sysname, self.world.instance.host_name, system.release, system.version, system.machine, "")
        packed = b"".join(text.encode()[: _UTSNAME_FIELD - 1].ljust(_UTSNAME_FIELD, b"\0") for text in fields)
        process.memory.write(registers.arguments[0], packed)
        return 0

    def _tell_processors(self, registers: Registers, process: TracedProcess) -> int | None:
        _, size, address, *_ = registers.arguments
        if size < _MASK_BYTES:
            return -errno.EINVAL
        process.memory.write(address, struct.pack("<Q", (1 << self.world.processors) - 1))
        return _MASK_BYTES

    def _record_path(
        self, name: str, registers: Registers, process: TracedProcess, path: str, frames: tuple[str, ...]
    ) -> None:
        is_open = name.startswith("open")
        library = process.calling_library(registers)
        if path in RANDOM_DEVICES and is_open and is_sqlite(library):
            self.contacts.append(Contact(Kind.RANDOM, library, frames))
            return
        if path in RANDOM_DEVICES and is_open and notices_forks(library):
            self._redirect(name, registers, process, capture_sandbox.RANDOM_FILE)
        if (path, is_open) in self._known_paths:
            return
        if not is_open and process.is_in_loader(registers):
            return  # it looks which of the folders exist that libraries name as their own machine's
        self._known_paths.add((path, is_open))
        if is_open and is_python(library) and not registers.arguments[_PATH_ARGUMENT[name] + 1] & os.O_CLOEXEC:
            # Python opens nothing that children would inherit, so its frame was only the nearest on the stack.
            library = ""
        real = Path(f"/proc/{process.leader}/root{path}")
        exists = os.path.lexists(real)
        if exists:
            self._note_stamps(real)
        opened = exists and is_open
        kind = Kind.PROCESSORS if tells_processors(path, library) else Kind.FILE
        kind = Kind.CHILD if name == "execve" else kind
        self.contacts.append(Contact(kind, library, frames, detail=path, exists=exists, opened=opened))

    def _redirect(self, name: str, registers: Registers, process: TracedProcess, path: str) -> None:
        """Let a call open another file, if that exists."""
        if not Path(f"/proc/{process.leader}/root{path}").exists():
            return
        room = registers.stack_pointer - self._processor.red_zone - _PATH_ROOM
        process.memory.write(room, path.encode() + b"\0")
        registers.set_argument(_PATH_ARGUMENT[name], room)
        registers.write()

    def note_standard_streams(self, process: int) -> None:
        """Note what tells the standard streams of a process from other files."""
        self._streams = _standard_streams(process)
        for descriptor in range(3):
            self._note_stamps(Path(f"/proc/{process}/fd/{descriptor}"))

    def _note_stamps(self, path: Path) -> None:
        with contextlib.suppress(OSError):
            status = path.stat()
            for stamp in (status.st_mtime_ns, status.st_ctime_ns, status.st_atime_ns):
                self.stamps.update((stamp // 10**9, stamp % 10**9))
            self.stamps.update((status.st_ino, status.st_dev))
