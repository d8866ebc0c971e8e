"""ptrace(2), wait4(2) and /proc/PID/mem for one tracing thread, by ctypes."""

from __future__ import annotations

import ctypes
import os
import signal

# linux/ptrace.h
_CONT = 7
_SINGLESTEP = 9
_SYSCALL = 24
_SEIZE = 0x4206
_GETEVENTMSG = 0x4201
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
EVENT_CLONE = 3
EVENT_EXEC = 4
EVENT_SECCOMP = 7
EVENT_STOP = 128
SYSCALL_STOP = signal.SIGTRAP | 0x80

_WALL = 0x40000000
_WNOTHREAD = 0x20000000
_SIGINFO_BYTES = 128
_SI_ADDR = 16
"""Offset in `siginfo_t` where pointers have 8 bytes."""

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.restype = ctypes.c_long
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


class ThreadGone(Exception):
    """The traced thread ended, or was killed, before the request."""


def request(number: int, thread: int, address: object = None, data: object = None) -> int:
    """Make a ptrace request.

    Raises:
        ThreadGone: There is no such thread any more.
        OSError: The kernel refuses it.
    """
    ctypes.set_errno(0)
    result = int(_libc.ptrace(number, thread, address, data))
    error = ctypes.get_errno()
    if result == -1 and error:
        if error == 3:  # ESRCH
            raise ThreadGone(thread)
        raise OSError(error, f"ptrace: {os.strerror(error)}")
    return result


def seize(thread: int) -> None:
    """Trace `thread` and all that it starts; what is traced dies with the tracer."""
    request(_SEIZE, thread, None, _OPTIONS)


def proceed(thread: int, deliver: int = 0) -> None:
    """Let a stopped thread run on, with the signal `deliver`."""
    request(_CONT, thread, None, deliver)


def proceed_to_syscall_stop(thread: int, deliver: int = 0) -> None:
    """Let a stopped thread run to the next beginning or end of a system call."""
    request(_SYSCALL, thread, None, deliver)


def send_signal(call: int, process: int, thread: int, number: int) -> None:
    """Send a signal to one thread of a process.

    Args:
        call: Number of tgkill(2), for which old C libraries have no function.
        process: The thread's process.
        thread: The thread.
        number: The signal.
    """
    _libc.syscall(call, process, thread, number)


def step(thread: int) -> int:
    """Run one instruction; return the signal that `thread` stopped for, SIGTRAP when it was just that."""
    request(_SINGLESTEP, thread, None, None)
    status = wait_for(thread)
    if not os.WIFSTOPPED(status):
        raise ThreadGone(thread)
    return os.WSTOPSIG(status)


def wait() -> tuple[int, int]:
    """Return the next (thread, status) of what this thread traces or started."""
    return os.waitpid(-1, _WALL | _WNOTHREAD)


def wait_for(thread: int) -> int:
    """Return the next status of a thread that this thread traces."""
    return os.waitpid(thread, _WALL | _WNOTHREAD)[1]


def event_of(status: int) -> int:
    """Return the ptrace event of a status; 0 when a signal stopped the thread."""
    return status >> 16


def started_thread(thread: int) -> int:
    """Return the id of the thread that `thread`, stopped for EVENT_CLONE, has just started."""
    message = ctypes.c_ulong()
    request(_GETEVENTMSG, thread, None, ctypes.byref(message))
    return message.value


def fault_address(thread: int) -> int:
    """Return the address whose access raised the SIGSEGV that `thread` is stopped for."""
    information = ctypes.create_string_buffer(_SIGINFO_BYTES)
    request(_GETSIGINFO, thread, None, information)
    return int.from_bytes(information.raw[_SI_ADDR : _SI_ADDR + 8], "little")


class Memory:
    """The memory of a traced process, whatever its protection."""

    def __init__(self, process: int) -> None:
        self._file = os.open(f"/proc/{process}/mem", os.O_RDWR | os.O_CLOEXEC)

    def read(self, address: int, count: int) -> bytes:
        """Return `count` bytes.

        Raises:
            OSError: Some of them are not mapped.
        """
        content = bytearray()
        while len(content) < count:
            piece = os.pread(self._file, count - len(content), address + len(content))
            if not piece:
                msg = f"no memory at {address + len(content):#x}"
                raise OSError(msg)
            content += piece
        return bytes(content)

    def text(self, address: int) -> str:
        """Return the string that ends in a zero byte."""
        content = bytearray()
        while b"\0" not in content:
            content += self.read(address + len(content), 64 - (address + len(content)) % 64)
        return content.partition(b"\0")[0].decode("utf-8", "surrogateescape")

    def write(self, address: int, content: bytes) -> None:
        """Replace bytes, also where the process itself may not write."""
        os.pwrite(self._file, content, address)

    def close(self) -> None:
        """Close the file through which the memory is read."""
        os.close(self._file)
