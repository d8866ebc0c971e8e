"""Breakpoints of a capture: at queries for the processor, and at the C library's `getenv`."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

from pyl.image import elf_code, ptrace
from pyl.image.arch.interface import Processor, Registers
from pyl.image.capture.traced_process import TracedProcess, file_at
from pyl.lambda_environment import PAGE

_C_LIBRARY = "libc.so.6"

_SITES_BY_FILE: dict[tuple[int, int, int, int], list[tuple[int, bytes]]] = {}
"""What was found in each file: a capture runs the program several times, and disassembly takes most of a run."""


class Breakpoints:
    """Places breakpoints in mapped code, and answers them."""

    def __init__(self, processor: Processor) -> None:
        self._processor = processor
        self.missed_queries: list[int] = []
        """Addresses of queries that disassembly did not find; the processor's own fault caught them."""
        self.variables: dict[str, str] = {}
        """Environment variables that the program asked the C library for: name to the file whose code asked first."""
        self.answered_queries = 0

    def sites_in_file(self, thread: int, descriptor: int) -> list[tuple[int, bytes]]:
        """Return (offset, original bytes) of the places for breakpoints in a file that `thread` has open."""
        with Path(f"/proc/{thread}/fd/{descriptor}").open("rb") as file:
            status = os.fstat(file.fileno())
            identity = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
            if identity not in _SITES_BY_FILE:
                is_c_library = Path(file.name).readlink().name == _C_LIBRARY
                _SITES_BY_FILE[identity] = list(self._sites(file.read(), is_c_library=is_c_library))
            return _SITES_BY_FILE[identity]

    def _sites(self, content: bytes, *, is_c_library: bool) -> Iterator[tuple[int, bytes]]:
        functions = elf_code.function_starts(content)
        for kind, offset, _, size, flags in elf_code.program_headers(content):
            if kind == elf_code.LOAD and flags & elf_code.EXECUTABLE:
                yield from self._processor.find_queries(content[offset : offset + size], offset, functions)
        getenv = elf_code.exported(content, "getenv") if is_c_library else None
        if getenv is not None:
            yield getenv, content[getenv : getenv + len(self._processor.breakpoint)]

    def place(self, process: TracedProcess, sites: list[tuple[int, bytes]], base: int, offset: int, size: int) -> None:
        """Place the breakpoints of a file, mapped from `offset` on, that would begin at address `base`."""
        process.add_breakpoints(
            ((base + place, original) for place, original in sites if offset <= place < offset + size),
            self._processor.breakpoint,
        )

    def place_in_memory(self, process: TracedProcess, start: int, size: int) -> None:
        """Place breakpoints in code that was written to memory and then made executable."""
        content = process.memory.read(start, -(-size // PAGE) * PAGE)
        queries = self._processor.find_queries(content, 0, ())
        sites = [(start + place, original) for place, original in queries if start + place not in process.sites]
        process.add_breakpoints(sites, self._processor.breakpoint)

    def answer(self, thread: int, process: TracedProcess, signal_number: int) -> bool:
        """Answer a breakpoint, or a query at which the processor itself faulted; False for any other signal."""
        registers = self._processor.read_registers(thread)
        if signal_number == signal.SIGTRAP:
            address = registers.breakpoint_address()
            original = process.sites.get(address)
            if original is not None and not self._processor.is_query(original):
                self._step_over_getenv(thread, registers, process, original)
                return True
        else:
            address = registers.instruction_pointer
            original = self._processor.faulted_query(process.memory, address)
            if original is not None and process.steered:
                self.missed_queries.append(address)
        if original is None:
            return False
        registers.answer_query(address, original)
        registers.write()
        self.answered_queries += 1
        return True

    def _step_over_getenv(self, thread: int, registers: Registers, process: TracedProcess, original: bytes) -> None:
        """Note which variable is asked for, and let the function go on behind its first instruction."""
        address = registers.breakpoint_address()
        if process.steered:
            name = process.memory.text(registers.arguments[0])
            if name not in self.variables:
                self.variables[name] = file_at(thread, registers.return_address(process.memory))
        registers.instruction_pointer = address
        registers.write()
        process.memory.write(address, original)
        stop_signal = ptrace.step(thread)
        process.memory.write(address, self._processor.breakpoint)
        if stop_signal != signal.SIGTRAP:  # it came before the instruction, which will be met again
            os.kill(thread, stop_signal)
