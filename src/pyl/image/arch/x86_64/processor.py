"""x86-64, as captures and the launcher need it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from pyl.architecture import Architecture
from pyl.image.arch.interface import SystemCalls

if TYPE_CHECKING:
    from pyl.image.arch.x86_64.registers import Registers
    from pyl.image.ptrace import Memory
    from pyl.image.snapshot import Region
    from pyl.image.structures import Structure


class X86_64:  # noqa: N801 - the architecture's name
    """See `pyl.image.arch.Processor`. What tracing takes is imported when it is needed."""

    architecture: Architecture = Architecture.X86_64
    requirement = "x86-64-v3 with AES and PCLMUL"

    folder = Path(__file__).parent
    sources: Sequence[str] = ("processor.c", "memory.c")
    kernel_headers = "x86-linux-any"
    compiler_flags: Sequence[str] = (
        "-mno-sse",  # the kernel's state of vector registers stays untouched until the image sets its own
        "-mno-red-zone",
    )
    runtime_flags: Sequence[str] = ("-march=x86_64",)  # the baseline, whatever the target's default is
    launcher_address = 0x1000_0000_0000
    capture_loader_address = 0x1100_0000_0000
    lowest_address = 0x1800_0000_0000

    system_calls = SystemCalls(
        mmap=9,
        mprotect=10,
        munmap=11,
        mremap=25,
        clone=56,
        clone3=435,
        getpid=39,
        gettid=186,
        kill=62,
        tgkill=234,
        prctl=157,
        rt_sigaction=13,
        rt_sigprocmask=14,
        sigaltstack=131,
        get_robust_list=274,
        getcwd=79,
    )
    world_calls: Mapping[int, str] = MappingProxyType(
        {
            2: "open",
            4: "stat",
            6: "lstat",
            21: "access",
            22: "pipe",
            28: "madvise",
            32: "dup",
            33: "dup2",
            41: "socket",
            53: "socketpair",
            56: "clone",
            59: "execve",
            63: "uname",
            72: "fcntl",
            89: "readlink",
            96: "gettimeofday",
            102: "getuid",
            104: "getgid",
            107: "geteuid",
            108: "getegid",
            109: "setpgid",
            110: "getppid",
            112: "setsid",
            118: "getresuid",
            120: "getresgid",
            135: "personality",
            144: "sched_setscheduler",
            149: "mlock",
            151: "mlockall",
            157: "prctl",
            201: "time",
            203: "sched_setaffinity",
            204: "sched_getaffinity",
            213: "epoll_create",
            228: "clock_gettime",
            253: "inotify_init",
            257: "openat",
            262: "newfstatat",
            267: "readlinkat",
            269: "faccessat",
            283: "timerfd_create",
            284: "eventfd",
            289: "signalfd4",
            290: "eventfd2",
            291: "epoll_create1",
            292: "dup3",
            293: "pipe2",
            294: "inotify_init1",
            314: "sched_setattr",
            318: "getrandom",
            319: "memfd_create",
            325: "mlock2",
            332: "statx",
            439: "faccessat2",
        }
    )
    breakpoint = b"\xcc"
    red_zone = 128

    @property
    def state(self) -> Structure:
        """`struct processor_state`."""
        from pyl.image.arch.x86_64.registers import STATE

        return STATE

    def read_registers(self, thread: int) -> Registers:
        """Return the registers of a stopped thread."""
        from pyl.image.arch.x86_64.registers import Registers

        return Registers(thread)

    def read_state(self, thread: int) -> bytes:
        """Return the `struct processor_state` of a stopped thread."""
        return self.read_registers(thread).state()

    def inject(self, thread: int, number: int, *arguments: int, at: int = 0) -> int:
        """Make one system call in a stopped thread; negative is -errno."""
        from pyl.image.arch.x86_64 import registers

        return registers.inject(thread, number, *arguments, at=at)

    def find_queries(self, code: bytes, offset: int, functions: Sequence[int]) -> list[tuple[int, bytes]]:
        """Find the `cpuid` and `xgetbv` instructions."""
        from pyl.image.arch.x86_64 import disassembly

        return disassembly.find(disassembly.Code(code, offset, tuple(functions)))

    def is_query(self, instruction: bytes) -> bool:
        """Tell whether these are the bytes of `cpuid` or `xgetbv`."""
        from pyl.image.arch.x86_64 import disassembly

        return instruction in (disassembly.CPUID, disassembly.XGETBV)

    def faulted_query(self, memory: Memory, address: int) -> bytes | None:
        """Return `cpuid` if that is at `address`: the capture loader asks the kernel to let it fault."""
        from pyl.image.arch.x86_64.disassembly import CPUID

        try:
            return CPUID if memory.read(address, len(CPUID)) == CPUID else None
        except OSError:
            return None

    def find_unsupported_code(self, regions: Sequence[Region], package: Path, task_root: str) -> str | None:
        """Return a reason if the memory leads to code that needs AVX-512."""
        from pyl.image.arch.x86_64 import baseline

        targets = baseline.find_avx512_targets(regions, package, task_root)
        if not targets:
            return None
        return f"it would run {targets[0]} and {len(targets) - 1} more on processors without AVX-512"
