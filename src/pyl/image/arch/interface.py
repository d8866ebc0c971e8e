"""What process images need to know of a processor architecture.

Each architecture that has images has a folder of its own below this one. It holds an implementation of `Processor` for
the capture, and the C that the launcher and the capture loader include by name:

| file | content |
| --- | --- |
| `system_call.h` | the instruction that makes a system call |
| `processor.h`, `processor.c` | entry point, check of the processor, thread pointer, the jump into a restored program |
| `processor_state.h` | `struct processor_state`, generated from `Processor.state` |
| `loader_abi.h` | what the capture loader gives a program: its auxiliary vector, its first instruction |
| `tracer_abi.h` | the system call by which a program asks the capture's tracer |
| `memory.c` | `memcpy` and `memset` |
| `launcher.ld` | where the launcher is linked |

Nothing else depends on the processor; other modules ask `of` or `host`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pyl.architecture import Architecture

if TYPE_CHECKING:
    from pyl.image.ptrace import Memory
    from pyl.image.snapshot import Region
    from pyl.image.structures import Structure


@dataclass(frozen=True, kw_only=True)
class SystemCalls:
    """Numbers of the system calls that a capture watches, changes or makes."""

    mmap: int
    mprotect: int
    munmap: int
    mremap: int
    clone: int
    clone3: int
    getpid: int
    gettid: int
    kill: int
    tgkill: int
    prctl: int
    rt_sigaction: int
    rt_sigprocmask: int
    sigaltstack: int
    get_robust_list: int
    getcwd: int


WORLD_CALLS = frozenset(
    """
    getrandom clock_gettime gettimeofday time getppid getuid geteuid getgid getegid uname sched_getaffinity
    openat open newfstatat stat lstat statx faccessat faccessat2 access readlinkat readlink execve
    getresuid getresgid clone
    sched_setaffinity sched_setscheduler sched_setattr setsid setpgid personality mlock mlock2 mlockall madvise
    dup2 dup3 prctl
    pipe pipe2 socketpair socket eventfd eventfd2 memfd_create dup epoll_create epoll_create1 timerfd_create signalfd4
    inotify_init inotify_init1 fcntl
    """.split()  # noqa: SIM905 - so it can be read
)
"""System calls by which a program learns where it is, and when, or changes its process. Not every architecture has
each."""


class Registers(Protocol):
    """The general registers of a stopped thread. Changes take effect with `write`."""

    thread: int
    instruction_pointer: int
    result: int
    """Of a system call, unsigned."""

    @property
    def stack_pointer(self) -> int:
        """Address of the top of the stack."""

    @property
    def system_call(self) -> int:
        """Number of the system call at which the thread is stopped."""

    @property
    def arguments(self) -> tuple[int, ...]:
        """The six arguments of a system call; the first are those of a function, too."""

    def set_argument(self, index: int, value: int) -> None:
        """Change an argument of the system call at which the thread is stopped."""

    def skip_system_call(self, result: int) -> None:
        """Make the system call at which the thread is stopped do nothing and return `result`."""

    def retry_system_call(self) -> None:
        """Make the thread, stopped in front of a system call, come back to it after its pending signals."""

    def repeat_system_call(self) -> None:
        """Make the thread, stopped behind a system call, make it once more."""

    def breakpoint_address(self) -> int:
        """Return the address of the breakpoint that the thread has just hit."""

    def return_address(self, memory: Memory) -> int:
        """Return where the function returns to whose first instruction is next."""

    def answer_query(self, address: int, query: bytes) -> None:
        """Answer the processor query at `address` as the virtual processor does, and go on behind it."""

    def write(self) -> None:
        """Give the thread these registers."""


class Processor(Protocol):
    """One architecture, as captures need it."""

    architecture: Architecture
    requirement: str
    """What a processor must have to run an image, in words."""

    folder: Path
    """Holds the C files and headers."""
    sources: Sequence[str]
    """C files of the launcher and the capture loader, in `folder`."""
    kernel_headers: str
    """zig's folder with the architecture's own uapi headers of Linux."""
    compiler_flags: Sequence[str]
    """Of both, besides those of every architecture."""
    runtime_flags: Sequence[str]
    """Compiler flags of the C runtime, likewise."""
    launcher_address: int
    """Where `launcher.ld` links the launcher: far from everything that the kernel or an image places."""
    capture_loader_address: int
    """Where the capture loader is linked."""
    lowest_address: int
    """Captured programs begin at most 1 TB above this address, where no kernel places anything by itself."""

    system_calls: SystemCalls
    world_calls: Mapping[int, str]
    """Number to name of those `WORLD_CALLS` that the architecture has."""
    breakpoint: bytes
    """The instruction that stops a traced thread."""
    red_zone: int
    """Bytes below the stack pointer that a function may use."""

    @property
    def state(self) -> Structure:
        """`struct processor_state`: what a restore brings back of the processor."""

    def read_registers(self, thread: int) -> Registers:
        """Return the registers of a stopped thread."""

    def read_state(self, thread: int) -> bytes:
        """Return the `struct processor_state` of a thread that is stopped behind a system call."""

    def inject(self, thread: int, number: int, *arguments: int, at: int = 0) -> int:
        """Make one system call in a stopped thread.

        Args:
            thread: Stopped behind a system call, unless `at` is given.
            number: The system call.
            arguments: At most six.
            at: Address behind some instruction that makes a system call.

        Returns:
            The result; negative is -errno.
        """

    def find_queries(self, code: bytes, offset: int, functions: Sequence[int]) -> list[tuple[int, bytes]]:
        """Find the instructions that ask which processor it is.

        Args:
            code: Executable content.
            offset: Of `code` in its file.
            functions: Offsets in the file at which functions start, ordered; may be empty.

        Returns:
            Offset in the file, and the instruction's bytes.
        """

    def is_query(self, instruction: bytes) -> bool:
        """Tell whether these are the bytes of an instruction that `find_queries` finds."""

    def faulted_query(self, memory: Memory, address: int) -> bytes | None:
        """Return the query at `address` at which the processor itself raised a fault, or None."""

    def find_unsupported_code(self, regions: Sequence[Region], package: Path, task_root: str) -> str | None:
        """Return why the memory of a snapshot would not run on each processor that has `requirement`, or None.

        Args:
            regions: The snapshot's memory.
            package: The folder that the snapshot's process saw as `task_root`.
            task_root: Folder of the package in Lambda.
        """
