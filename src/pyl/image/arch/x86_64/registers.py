"""Registers of stopped x86-64 threads, read and written with ptrace."""

from __future__ import annotations

import ctypes
from typing import ClassVar

from pyl.image import ptrace
from pyl.image.arch.x86_64 import cpuid
from pyl.image.arch.x86_64.disassembly import CPUID
from pyl.image.ptrace import Memory
from pyl.image.structures import Field, Structure

# linux/ptrace.h
_GETREGS = 12
_SETREGS = 13
_GETFPREGS = 14

_ALL_BITS = 2**64 - 1
_NO_SYSTEM_CALL = _ALL_BITS
_SYSCALL_BYTES = 2
"""Length of the `syscall` instruction."""
_BREAKPOINT_BYTES = 1

_GENERAL = ("rip", "rsp", "rbx", "rbp", "r12", "r13", "r14", "r15", "fs_base", "gs_base")

STATE = Structure(
    "processor_state",
    *(Field(name) for name in _GENERAL),
    Field("x87_control", "uint32_t"),
    Field("mxcsr", "uint32_t"),
    comment="Registers that a function keeps for its caller: what the program has when the system call of tracer_abi.h "
    "returns.",
)

_REGISTER_NAMES = (
    "r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss "
    "fs_base gs_base ds es fs gs"
)
_ARGUMENTS = ("rdi", "rsi", "rdx", "r10", "r8", "r9")


class _UserRegisters(ctypes.Structure):
    """`struct user_regs_struct`."""

    _fields_: ClassVar = [(name, ctypes.c_uint64) for name in _REGISTER_NAMES.split()]
    rax: int
    rbx: int
    rcx: int
    rdx: int
    orig_rax: int
    rip: int
    rsp: int


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
    cwd: int
    mxcsr: int


class Registers:
    """The general registers of a stopped thread. See `pyl.image.arch.Registers`."""

    def __init__(self, thread: int) -> None:
        self.thread = thread
        self._values = _UserRegisters()
        ptrace.request(_GETREGS, thread, None, ctypes.byref(self._values))

    @property
    def instruction_pointer(self) -> int:
        """RIP."""
        return self._values.rip

    @instruction_pointer.setter
    def instruction_pointer(self, address: int) -> None:
        self._values.rip = address

    @property
    def result(self) -> int:
        """RAX, unsigned."""
        return self._values.rax

    @result.setter
    def result(self, value: int) -> None:
        self._values.rax = value & _ALL_BITS

    @property
    def stack_pointer(self) -> int:
        """RSP."""
        return self._values.rsp

    @property
    def system_call(self) -> int:
        """Number of the system call at which the thread is stopped."""
        return self._values.orig_rax

    @property
    def arguments(self) -> tuple[int, ...]:
        """The six arguments of a system call."""
        return tuple(getattr(self._values, name) for name in _ARGUMENTS)

    def set_argument(self, index: int, value: int) -> None:
        """Change an argument of a system call."""
        setattr(self._values, _ARGUMENTS[index], value & _ALL_BITS)

    def skip_system_call(self, result: int) -> None:
        """Make the system call at which the thread is stopped do nothing and return `result`."""
        self._values.orig_rax = _NO_SYSTEM_CALL
        self.result = result

    def retry_system_call(self) -> None:
        """Go back to the `syscall` instruction without making the call."""
        self._values.rax = self._values.orig_rax
        self._values.orig_rax = _NO_SYSTEM_CALL
        self._values.rip -= _SYSCALL_BYTES

    def repeat_system_call(self) -> None:
        """Make the thread, stopped behind a system call, make it once more."""
        self._values.rip -= _SYSCALL_BYTES
        self._values.rax = self._values.orig_rax

    def prepare_system_call(self, number: int, arguments: tuple[int, ...], behind: int) -> None:
        """Put the thread on the `syscall` instruction that ends at `behind`, with a system call to make."""
        self._values.rip = behind - _SYSCALL_BYTES
        self._values.rax = number
        self._values.orig_rax = _NO_SYSTEM_CALL  # else the kernel might restart one that a signal interrupted
        padded = (*arguments, 0, 0, 0, 0, 0, 0)
        for index in range(len(_ARGUMENTS)):
            self.set_argument(index, padded[index])

    def breakpoint_address(self) -> int:
        """Return the address of the breakpoint, behind which the processor stops."""
        return self._values.rip - _BREAKPOINT_BYTES

    def return_address(self, memory: Memory) -> int:
        """Return the address that the caller has pushed."""
        return int.from_bytes(memory.read(self._values.rsp, 8), "little")

    def answer_query(self, address: int, query: bytes) -> None:
        """Answer `cpuid` or `xgetbv` as the virtual processor does."""
        values = self._values
        if query == CPUID:
            values.rax, values.rbx, values.rcx, values.rdx = cpuid.answer(
                values.rax & 0xFFFFFFFF, values.rcx & 0xFFFFFFFF
            )
        else:
            values.rax, values.rdx = cpuid.XCR0, 0
        values.rip = address + len(query)

    def write(self) -> None:
        """Give the thread these registers."""
        ptrace.request(_SETREGS, self.thread, None, ctypes.byref(self._values))

    def state(self) -> bytes:
        """Return the thread's `struct processor_state`."""
        floating_point = _FloatingPoint()
        ptrace.request(_GETFPREGS, self.thread, None, ctypes.byref(floating_point))
        values = {name: getattr(self._values, name) for name in _GENERAL}
        return STATE.pack(**values, x87_control=floating_point.cwd, mxcsr=floating_point.mxcsr)


def inject(thread: int, number: int, *arguments: int, at: int = 0) -> int:
    """Make one system call in a stopped thread. See `pyl.image.arch.Processor.inject`."""
    before, changed = Registers(thread), Registers(thread)
    changed.prepare_system_call(number, arguments, at or before.instruction_pointer)
    changed.write()
    ptrace.step(thread)
    result = ctypes.c_int64(Registers(thread).result).value
    before.write()
    return result
