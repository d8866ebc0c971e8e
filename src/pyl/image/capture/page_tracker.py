"""Follows a restored process page by page: which pages of its image it reads, and which it writes.

The page tables tell neither: the kernel maps neighbours of what was touched, and reads ahead. So the image's memory is
made inaccessible the moment the launcher has restored it, and given back a page at a time as the process faults.
"""

from __future__ import annotations

import contextlib
import os
import signal
import struct
from collections.abc import Callable, Iterable

from pyl.image.arch.x86_64 import ptrace
from pyl.image.arch.x86_64.ptrace import Memory, Registers, ThreadGone
from pyl.image.capture.snapshot import WRITE
from pyl.image.launcher.programs import LAUNCHER_ADDRESS
from pyl.lambda_environment import PAGE

# asm/unistd_64.h
_MPROTECT, _RT_SIGPROCMASK = 10, 14
_LAUNCHER_LIMIT = LAUNCHER_ADDRESS + (1 << 30)
_EFAULT = 2**64 - 14
_WORDS = 16
"""As many words behind a system call's pointers are taken for pointers too, when the kernel could not follow one."""
_LONGEST = 64 * PAGE
"""Bytes that a system call reads or writes at most behind a pointer."""


class Follower:
    """Follows one process; all of it happens in one thread, the one that called `run`."""

    def __init__(self, process: int, segments: Iterable[tuple[int, int, int]]) -> None:
        """`segments` are (address, length, protection) of the image's memory."""
        self.touched: dict[int, bool] = {}
        """Address of each page, in the order in which they were first touched: was it written?"""
        self._process = process
        self._handle = os.pidfd_open(process)
        self._segments = [segment for segment in segments if segment[2]]
        self._granted: dict[int, int] = {}
        self._launched = False
        self._memory: Memory | None = None
        self._system_call_at = 0
        """Behind a `syscall` instruction of the launcher; set once the image is restored."""
        self._in_system_call = False

    def run(self, go: Callable[[], object]) -> None:
        """Follow the process, which waits for `go` before it becomes the launcher, to its end."""
        ptrace.seize(self._process)
        go()
        try:
            while True:
                thread, status = ptrace.wait()
                if os.WIFSTOPPED(status):
                    self._stopped(thread, status)
                elif thread == self._process:
                    return
        finally:
            if self._memory:
                self._memory.close()

    def end(self) -> None:
        """End the process, if it lives, from any thread."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)

    def close(self) -> None:
        """Give back what is held of the process."""
        os.close(self._handle)

    def _stopped(self, thread: int, status: int) -> None:
        event, signal_number = ptrace.event_of(status), os.WSTOPSIG(status)
        deliver = signal_number if event == 0 else 0
        try:
            if event == ptrace.EVENT_EXEC:
                self._launched = LAUNCHER_ADDRESS <= ptrace.registers(thread).rip < _LAUNCHER_LIMIT
                self._in_system_call = True
                if self._launched:
                    self._memory = Memory(self._process)
            elif signal_number == ptrace.SYSCALL_STOP:
                deliver = 0
                self._in_system_call = not self._in_system_call
                if not self._in_system_call:
                    self._returned(thread)
            elif signal_number == signal.SIGSEGV and self._grant_fault(thread):
                deliver = 0
            if self._launched:
                ptrace.proceed_to_syscall_stop(thread, deliver)
            else:
                ptrace.proceed(thread, deliver)
        except ThreadGone:
            return

    def _returned(self, thread: int) -> None:
        found = ptrace.registers(thread)
        if self._system_call_at:
            if found.rax == _EFAULT and self._grant_arguments(thread, found):
                found.rip -= 2  # once more
                found.rax = found.orig_rax
                ptrace.set_registers(thread, found)
        elif found.orig_rax == _RT_SIGPROCMASK and LAUNCHER_ADDRESS <= found.rip < _LAUNCHER_LIMIT:
            # The launcher's last call: all is mapped, and nothing of it has been used.
            self._system_call_at = found.rip
            for address, length, _ in self._segments:
                self._protect(thread, address, length, 0)

    def _protect(self, thread: int, address: int, length: int, protection: int) -> None:
        error = ptrace.inject(thread, _MPROTECT, address, length, protection, at=self._system_call_at)
        if error:
            raise OSError(-error, f"mprotect: {os.strerror(-error)}")

    def _protection(self, address: int) -> int:
        """What the image allows at an address; 0 outside of it."""
        return next((p for start, length, p in self._segments if start <= address < start + length), 0)

    def _grant_fault(self, thread: int) -> bool:
        return bool(self._system_call_at) and self._grant(thread, ptrace.fault_address(thread))

    def _grant(self, thread: int, address: int) -> bool:
        """Let the page be read, or, where that is not enough, be written; False if it is not the image's doing."""
        page = address - address % PAGE
        allowed = self._protection(page)
        granted = self._granted.get(page)
        if granted is None and allowed & ~WRITE:
            wanted = allowed & ~WRITE
            self.touched[page] = False
        elif allowed & WRITE and not (granted or 0) & WRITE:
            wanted = allowed
            self.touched[page] = True
        else:
            return False
        self._granted[page] = wanted
        self._protect(thread, page, PAGE, wanted)
        return True

    def _grant_arguments(self, thread: int, found: Registers) -> bool:
        """Let the kernel at what a system call's arguments point to, and at what is pointed to from there."""
        assert self._memory  # noqa: S101 - opened when the launcher was started
        pointers = [found.rdi, found.rsi, found.rdx, found.r10, found.r8, found.r9]
        for pointer in pointers[:6]:
            if self._protection(pointer):
                with contextlib.suppress(OSError):
                    pointers += struct.unpack(f"<{_WORDS}Q", self._memory.read(pointer, 8 * _WORDS))
        # One more page of each: how far the kernel has come, it does not say.
        granted = [
            any(self._grant(thread, address) for address in range(pointer, pointer + _LONGEST, PAGE))
            for pointer in pointers
        ]
        return any(granted)
