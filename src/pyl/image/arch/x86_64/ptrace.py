"""ptrace(2), wait4(2) and /proc/PID/mem for one tracing thread, by ctypes."""

from __future__ import annotations

import ctypes
import os
import signal
from typing import ClassVar

# linux/ptrace.h
_PEEKUSER = 3
_CONT = 7
_SINGLESTEP = 9
_GETREGS = 12
_SETREGS = 13
_GETFPREGS = 14
_SYSCALL = 24
_SEIZE = 0x4206
_GETSIGINFO = 0x4202

_OPTIONS = (
    0x1  # TRACESYSGOOD
    | 0x2  # TRACEFORK
    | 0x4  # TRACEVFORK
    | 0x8  # TRACECLONE
    | 0x10  # TRACEEXEC
    | 0x80  # TRACESECCOMP
    | 0x100000  # EXITKILL
)
EVENT_EXEC = 4
EVENT_SECCOMP = 7
EVENT_STOP = 128
SYSCALL_STOP = signal.SIGTRAP | 0x80

_WALL = 0x40000000
_WNOTHREAD = 0x20000000

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.restype = ctypes.c_long
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


_REGISTER_NAMES = (
    "r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss "
    "fs_base gs_base ds es fs gs"
)


class Registers(ctypes.Structure):
    """`struct user_regs_struct` of x86-64."""

    _fields_: ClassVar = [(name, ctypes.c_uint64) for name in _REGISTER_NAMES.split()]
    r15: int
    r14: int
    r13: int
    r12: int
    rbp: int
    rbx: int
    r10: int
    r9: int
    r8: int
    rax: int
    rcx: int
    rdx: int
    rsi: int
    rdi: int
    orig_rax: int
    rip: int
    rsp: int
    fs_base: int
    gs_base: int


class _FloatingPoint(ctypes.Structure):
    """The head of `struct user_fpregs_struct`."""

    _fields_: ClassVar = [
        ("cwd", ctypes.c_uint16),
        ("swd", ctypes.c_uint16),
        ("ftw", ctypes.c_uint16),
        ("fop", ctypes.c_uint16),
        ("rip", ctypes.c_uint64),
        ("rdp", ctypes.c_uint64),
        ("mxcsr", ctypes.c_uint32),
        ("rest", ctypes.c_uint8 * 484),
    ]


class ThreadGone(Exception):
    """The traced thread ended (or was killed) before the request."""


def _request(request: int, thread: int, address: object = None, data: object = None) -> int:
    ctypes.set_errno(0)
    result = int(_libc.ptrace(request, thread, address, data))
    error = ctypes.get_errno()
    if result == -1 and error:
        if error == 3:  # ESRCH
            raise ThreadGone(thread)
        raise OSError(error, f"ptrace: {os.strerror(error)}")
    return result


def seize(thread: int) -> None:
    """Trace `thread` and all that it starts; what is traced dies with the tracer."""
    _request(_SEIZE, thread, None, _OPTIONS)


def proceed(thread: int, deliver: int = 0) -> None:
    _request(_CONT, thread, None, deliver)


def proceed_to_syscall_stop(thread: int, deliver: int = 0) -> None:
    _request(_SYSCALL, thread, None, deliver)


def step(thread: int) -> int:
    """Run one instruction; returns the signal that `thread` stopped for, SIGTRAP when it was just that."""
    _request(_SINGLESTEP, thread, None, None)
    _, status = os.waitpid(thread, _WALL | _WNOTHREAD)
    if not os.WIFSTOPPED(status):
        raise ThreadGone(thread)
    return os.WSTOPSIG(status)


def registers(thread: int) -> Registers:
    found = Registers()
    _request(_GETREGS, thread, None, ctypes.byref(found))
    return found


def set_registers(thread: int, wanted: Registers) -> None:
    _request(_SETREGS, thread, None, ctypes.byref(wanted))


def floating_point_control(thread: int) -> tuple[int, int]:
    """(x87 control word, MXCSR)."""
    found = _FloatingPoint()
    _request(_GETFPREGS, thread, None, ctypes.byref(found))
    return found.cwd, found.mxcsr


def wait() -> tuple[int, int]:
    """The next (thread, status) of what this thread traces or started."""
    thread, status = os.waitpid(-1, _WALL | _WNOTHREAD)
    return thread, status


def event_of(status: int) -> int:
    return status >> 16


def fault_address(thread: int) -> int:
    """The address at which a SIGSEGV happened that `thread` is stopped for."""
    information = ctypes.create_string_buffer(128)
    _request(_GETSIGINFO, thread, None, information)
    return int.from_bytes(information.raw[16:24], "little")


def inject(thread: int, number: int, *arguments: int, at: int = 0) -> int:
    """Run one system call in `thread`; negative is -errno.

    `at` is an address behind some `syscall` instruction; without it the thread stands behind one.
    """
    before = registers(thread)
    changed = Registers.from_buffer_copy(before)
    changed.rip = (at or before.rip) - 2
    changed.rax = number
    changed.orig_rax = 2**64 - 1
    padded = (*arguments, 0, 0, 0, 0, 0, 0)
    changed.rdi, changed.rsi, changed.rdx, changed.r10, changed.r8, changed.r9 = padded[:6]
    set_registers(thread, changed)
    step(thread)
    result = ctypes.c_int64(registers(thread).rax).value
    set_registers(thread, before)
    return result


class Memory:
    """The memory of a traced process, whatever its protection."""

    def __init__(self, process: int) -> None:
        self._file = os.open(f"/proc/{process}/mem", os.O_RDWR | os.O_CLOEXEC)

    def read(self, address: int, count: int) -> bytes:
        found = bytearray()
        while len(found) < count:
            piece = os.pread(self._file, count - len(found), address + len(found))
            if not piece:
                msg = f"no memory at {address + len(found):#x}"
                raise OSError(msg)
            found += piece
        return bytes(found)

    def text(self, address: int) -> str:
        """The string that ends in a zero byte."""
        found = bytearray()
        while b"\0" not in found:
            found += self.read(address + len(found), 64 - (address + len(found)) % 64)
        return found.partition(b"\0")[0].decode("utf-8", "surrogateescape")

    def write(self, address: int, content: bytes) -> None:
        os.pwrite(self._file, content, address)

    def close(self) -> None:
        os.close(self._file)
