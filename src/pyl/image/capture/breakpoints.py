"""Breakpoints of a capture: at queries for the processor, and at functions of the C library and of OpenSSL."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pyl.image import elf_code, ptrace
from pyl.image.arch.interface import Processor, Registers
from pyl.image.capture.contacts import Contact, Kind
from pyl.image.capture.known import is_foreign_function_interface
from pyl.image.capture.traced_process import ForkHandler, TracedProcess, file_at
from pyl.lambda_environment import PAGE

_GETENV, _REGISTER_ATFORK = "getenv", "__register_atfork"
_DRAWING = ("RAND_bytes", "RAND_priv_bytes")
_FUNCTIONS = {"libc": (_GETENV, _REGISTER_ATFORK), "libcrypto": _DRAWING}
"""By the beginning of the library's name, up to `.so`."""


@dataclass(frozen=True)
class Site:
    """A place for a breakpoint in a file.

    Attributes:
        offset: In the file.
        original: The bytes that the breakpoint replaces.
        function: Name of the function that begins there; empty for a query for the processor.
    """

    offset: int
    original: bytes
    function: str = ""


_SITES_BY_FILE: dict[tuple[int, int, int, int], list[Site]] = {}
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
        self.draws: list[Contact] = []
        """Random bytes that Python code had OpenSSL draw by ctypes or cffi. The proof does not find them: the seed is
        renewed in each instance, and therefore equal in both worlds."""
        self._functions: dict[int, str] = {}
        """Address to name of each function with a breakpoint."""

    def sites_in_file(self, thread: int, descriptor: int) -> list[Site]:
        """Return the places for breakpoints in a file that `thread` has open."""
        with Path(f"/proc/{thread}/fd/{descriptor}").open("rb") as file:
            status = os.fstat(file.fileno())
            identity = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
            if identity not in _SITES_BY_FILE:
                library = Path(file.name).readlink().name.partition(".so")[0]
                _SITES_BY_FILE[identity] = list(self._sites(file.read(), _FUNCTIONS.get(library, ())))
            return _SITES_BY_FILE[identity]

    def _sites(self, content: bytes, names: Iterable[str]) -> Iterator[Site]:
        functions = elf_code.function_starts(content)
        for kind, offset, _, size, flags in elf_code.program_headers(content):
            if kind == elf_code.LOAD and flags & elf_code.EXECUTABLE:
                for query in self._processor.find_queries(content[offset : offset + size], offset, functions):
                    yield Site(*query)
        for name in names:
            start = elf_code.exported(content, name)
            if start is not None:
                yield Site(start, content[start : start + len(self._processor.breakpoint)], name)

    def place(self, process: TracedProcess, sites: Iterable[Site], base: int, offset: int, size: int) -> None:
        """Place the breakpoints of a file, mapped from `offset` on, that would begin at address `base`."""
        mapped = [site for site in sites if offset <= site.offset < offset + size]
        self._functions.update((base + site.offset, site.function) for site in mapped if site.function)
        places = ((base + site.offset, site.original) for site in mapped)
        process.add_breakpoints(places, self._processor.breakpoint)

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
                if process.steered:
                    self._note_call(self._functions.get(address, ""), registers, process)
                self._step_over(registers, process, original)
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

    def _note_call(self, function: str, registers: Registers, process: TracedProcess) -> None:
        first, second, third, *_ = registers.arguments
        if function == _GETENV:
            name = process.memory.text(first)
            if name not in self.variables:
                self.variables[name] = self._caller(registers, process)
        elif function == _REGISTER_ATFORK:
            library = file_at(process.leader, third or first)
            process.fork_handlers.append(ForkHandler(prepare=first, child=third, library=library))
        elif function in _DRAWING and is_foreign_function_interface(self._caller(registers, process)):
            self.draws.append(Contact(Kind.DRAW, "libcrypto.so", detail=f"{second} random bytes of {function}"))

    def _caller(self, registers: Registers, process: TracedProcess) -> str:
        """Return the file whose code calls the function that the thread has just entered."""
        return file_at(process.leader, registers.return_address(process.memory))

    def _step_over(self, registers: Registers, process: TracedProcess, original: bytes) -> None:
        """Let a function go on behind its first instruction."""
        address, thread = registers.breakpoint_address(), registers.thread
        registers.instruction_pointer = address
        registers.write()
        process.memory.write(address, original)
        stop_signal = ptrace.step(thread)
        process.memory.write(address, self._processor.breakpoint)
        if stop_signal != signal.SIGTRAP:  # it came before the instruction, which will be met again
            os.kill(thread, stop_signal)
