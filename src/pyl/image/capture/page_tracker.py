"""Tracks a restored process page by page: which pages of its image it reads, and which it writes.

The page tables show neither: the kernel maps neighbours of what was touched, and reads ahead. So the image's memory is
made inaccessible the moment the launcher has restored it, and given back a page at a time as the process faults.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import struct
from collections.abc import Callable, Iterable

from pyl.image import ptrace
from pyl.image.arch.interface import Processor, Registers
from pyl.image.ptrace import Memory, ThreadGone
from pyl.image.snapshot import WRITE
from pyl.lambda_environment import PAGE

_LAUNCHER_BYTES = 1 << 30
"""Of address space, from the launcher's address on, that nothing else uses."""
_BAD_ADDRESS = 2**64 - errno.EFAULT
"""Result of a system call that cannot use a pointer, unsigned."""
_POINTERS = 16
"""Words behind a system call's pointers that are taken for pointers too, if the kernel could not follow one."""
_LONGEST_BUFFER = 64 * PAGE
"""Bytes that a system call reads or writes at most behind a pointer."""


class PageTracker:
    """Tracks one process; all of it happens in one thread, the one that called `run`."""

    def __init__(self, processor: Processor, process: int, segments: Iterable[tuple[int, int, int]]) -> None:
        """Prepare to track `process`; `segments` are (address, length, protection) of the image's memory."""
        self.touched: dict[int, bool] = {}
        """Address of each page to whether it was written, in the order in which they were first touched."""
        self._processor = processor
        self._process = process
        self._handle = os.pidfd_open(process)
        self._segments = [segment for segment in segments if segment[2]]
        self._granted: dict[int, int] = {}
        self._is_launched = False
        self._memory: Memory | None = None
        self._system_call_at = 0
        """Address behind a system call of the launcher; set once the image is restored."""
        self._in_system_call = False

    def run(self, release: Callable[[], object]) -> None:
        """Track the process to its end. It waits for `release` before it becomes the launcher."""
        ptrace.seize(self._process)
        release()
        try:
            while True:
                thread, status = ptrace.wait()
                if os.WIFSTOPPED(status):
                    self._handle_stop(thread, status)
                elif thread == self._process:
                    return
        finally:
            if self._memory:
                self._memory.close()

    def kill(self) -> None:
        """End the process, if it lives, from any thread."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)

    def close(self) -> None:
        """Release the process's handle."""
        os.close(self._handle)

    def _is_in_launcher(self, address: int) -> bool:
        return 0 <= address - self._processor.launcher_address < _LAUNCHER_BYTES

    def _handle_stop(self, thread: int, status: int) -> None:
        event, signal_number = ptrace.event_of(status), os.WSTOPSIG(status)
        deliver = signal_number if event == 0 else 0
        try:
            if event == ptrace.EVENT_EXEC:
                self._is_launched = self._is_in_launcher(self._processor.read_registers(thread).instruction_pointer)
                self._in_system_call = True
                if self._is_launched:
                    self._memory = Memory(self._process)
            elif signal_number == ptrace.SYSCALL_STOP:
                deliver = 0
                self._in_system_call = not self._in_system_call
                if not self._in_system_call:
                    self._handle_result(thread)
            elif signal_number == signal.SIGSEGV and self._grant_fault(thread):
                deliver = 0
            if self._is_launched:
                ptrace.proceed_to_syscall_stop(thread, deliver)
            else:
                ptrace.proceed(thread, deliver)
        except ThreadGone:
            return

    def _handle_result(self, thread: int) -> None:
        """Grant what a system call could not reach, or begin to track when the launcher makes its last one."""
        registers = self._processor.read_registers(thread)
        if self._system_call_at:
            if registers.result == _BAD_ADDRESS and self._grant_arguments(thread, registers):
                registers.repeat_system_call()
                registers.write()
        elif registers.system_call == self._processor.system_calls.rt_sigprocmask and self._is_in_launcher(
            registers.instruction_pointer
        ):
            # The launcher's last call: all is mapped, and nothing of it has been used.
            self._system_call_at = registers.instruction_pointer
            for address, length, _ in self._segments:
                self._protect(thread, address, length, 0)

    def _protect(self, thread: int, address: int, length: int, protection: int) -> None:
        number = self._processor.system_calls.mprotect
        error = self._processor.inject(thread, number, address, length, protection, at=self._system_call_at)
        if error:
            raise OSError(-error, f"mprotect: {os.strerror(-error)}")

    def _protection(self, address: int) -> int:
        """Return what the image allows at an address; 0 outside of it."""
        return next((p for start, length, p in self._segments if start <= address < start + length), 0)

    def _grant_fault(self, thread: int) -> bool:
        return bool(self._system_call_at) and self._grant(thread, ptrace.fault_address(thread))

    def _grant(self, thread: int, address: int) -> bool:
        """Let a page be read or, if it can be already, written; False if the image does not allow more."""
        page = address - address % PAGE
        allowed = self._protection(page)
        granted = self._granted.get(page)
        if granted is None and allowed & ~WRITE:
            protection = allowed & ~WRITE
            self.touched[page] = False
        elif allowed & WRITE and not (granted or 0) & WRITE:
            protection = allowed
            self.touched[page] = True
        else:
            return False
        self._granted[page] = protection
        self._protect(thread, page, PAGE, protection)
        return True

    def _grant_arguments(self, thread: int, registers: Registers) -> bool:
        """Let the kernel read what a system call's arguments point to, and what is pointed to from there."""
        assert self._memory  # noqa: S101 - opened when the launcher was started
        pointers = list(registers.arguments)
        for pointer in registers.arguments:
            if self._protection(pointer):
                with contextlib.suppress(OSError):
                    pointers += struct.unpack(f"<{_POINTERS}Q", self._memory.read(pointer, 8 * _POINTERS))
        # One more page of each: the kernel does not say how far it has come.
        granted = [
            any(self._grant(thread, address) for address in range(pointer, pointer + _LONGEST_BUFFER, PAGE))
            for pointer in pointers
        ]
        return any(granted)
