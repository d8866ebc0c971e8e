"""Runs a program under ptrace from its start to its snapshots, and steers its mappings.

All of one `Tracer` happens in one thread: ptrace belongs to the thread that attached.
"""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable

from pyl.image import ptrace
from pyl.image.addresses import Layout
from pyl.image.arch.interface import Processor, Registers
from pyl.image.capture import protocol
from pyl.image.capture.breakpoints import Breakpoints
from pyl.image.capture.contacts import place_in
from pyl.image.capture.descriptor_calls import MAKING_CALLS, DescriptorCalls
from pyl.image.capture.known import compares_process_ids, is_python, notices_forks
from pyl.image.capture.mapping_calls import MappingCalls, is_shared_writable
from pyl.image.capture.placement import Placement
from pyl.image.capture.protocol import Operation
from pyl.image.capture.thread_numbers import ThreadNumbers
from pyl.image.capture.traced_process import TracedProcess, leader_of, parent_of
from pyl.image.capture.world import PROCESS_ID_OFFSET, World
from pyl.image.capture.world_calls import WorldCalls
from pyl.image.ptrace import Memory, ThreadGone


class Tracer:
    """Follows the program and its children until it has ended."""

    def __init__(
        self,
        processor: Processor,
        layout: Layout,
        *,
        on_report: Callable[[bytes], None],
        on_snapshot: Callable[[int, int, TracedProcess], None],
        placement: Placement,
        world: World,
    ) -> None:
        """Prepare to trace.

        Args:
            processor: This machine's.
            layout: Gives the program's mappings their addresses.
            on_report: Takes what the program reports of its import, JSON.
            on_snapshot: Called with (thread, kind, process) to store the stopped process.
            placement: Where the program's small objects go.
            world: What the program is told of its world.
        """
        self._processor = processor
        self._calls = processor.system_calls
        self._on_report = on_report
        self._on_snapshot = on_snapshot
        self._placement = placement
        self._processes: dict[int, TracedProcess] = {}
        self._leaders: dict[int, int] = {}
        self._numbers = ThreadNumbers()
        self.breakpoints = Breakpoints(processor)
        self.mapping_calls = MappingCalls(processor, layout, self.breakpoints)
        self.world_calls = WorldCalls(processor, world)
        self.descriptor_calls = DescriptorCalls()
        self._world = world
        self.thread_starters: dict[int, str] = {}
        """Native threads by id, with the library that started each."""
        self.signal_places: dict[int, str] = {}
        """Line of Python that sent each signal last, by number."""
        self._is_watched = False
        """Whether the program tells, when it is asked, which line of Python runs."""
        self._frames: dict[int, tuple[str, ...]] = {}
        """What threads told that are about to make a system call again."""

    def run(self, process: int) -> int:
        """Trace `process`, which waits for its release, to its end; return its wait status."""
        while True:
            thread, status = ptrace.wait()
            if not os.WIFSTOPPED(status):
                self._remove(thread)
                if thread == process:
                    return status
                continue
            try:
                self._handle_stop(thread, status)
            except ThreadGone:
                continue

    def _remove(self, thread: int) -> None:
        self._leaders.pop(thread, None)
        self._numbers.remove(thread)
        process = self._processes.pop(thread, None)
        if process:
            process.memory.close()

    def _leader(self, thread: int) -> int:
        if thread not in self._leaders:
            self._leaders[thread] = leader_of(thread)
        return self._leaders[thread]

    def _process(self, thread: int) -> TracedProcess | None:
        leader = self._leader(thread)
        if leader not in self._processes:
            parent = self._processes.get(parent_of(leader))
            if parent is None:
                return None
            self._processes[leader] = parent.fork(Memory(leader), leader)
        return self._processes[leader]

    def _handle_stop(self, thread: int, status: int) -> None:
        event, signal_number = ptrace.event_of(status), os.WSTOPSIG(status)
        if event == ptrace.EVENT_EXEC:
            self._handle_exec(thread)
        elif event == ptrace.EVENT_CLONE:
            process = self._process(thread)
            if process and process.steered:
                registers = self._processor.read_registers(thread)
                self.thread_starters[ptrace.started_thread(thread)] = process.calling_library(registers)
                process.thread_stacks.note_thread(registers, process.memory, self._calls)
        elif event == ptrace.EVENT_SECCOMP:
            self._handle_system_call(thread)
            return
        elif signal_number == ptrace.SYSCALL_STOP:
            registers, process = self._processor.read_registers(thread), self._process(thread)
            self.mapping_calls.finish(registers, process)
            self.descriptor_calls.finish(registers, process)
        elif event == 0 and not self._answer_breakpoint(thread, signal_number):
            ptrace.proceed(thread, signal_number)
            return
        elif event == ptrace.EVENT_STOP:
            self._process(thread)
        ptrace.proceed(thread)

    def _answer_breakpoint(self, thread: int, signal_number: int) -> bool:
        if signal_number not in (signal.SIGTRAP, signal.SIGSEGV):
            return False
        process = self._process(thread)
        return process is not None and self.breakpoints.answer(thread, process, signal_number)

    def _handle_exec(self, thread: int) -> None:
        leader = self._leader(thread)
        is_first = not self._processes
        if is_first:
            self.world_calls.note_standard_streams(leader)
        former = self._processes.get(leader)
        if former:
            former.memory.close()
        self._processes[leader] = TracedProcess(Memory(leader), leader, steered=is_first)

    # -- system calls ------------------------------------------------------------------------------

    def _handle_system_call(self, thread: int) -> None:
        registers = self._processor.read_registers(thread)
        process = self._process(thread)
        number, arguments = registers.system_call, registers.arguments
        if number in (self._calls.getpid, self._calls.gettid):
            self._tell_id(thread, registers, process)
        elif number in (self._calls.kill, self._calls.tgkill):
            self._handle_signal(thread, registers, process)
        elif number == self._calls.prctl and process and protocol.is_request(arguments[0]):
            self._answer_request(thread, registers, process)
        elif process is None or not process.steered:
            ptrace.proceed(thread)
        elif self._processor.world_calls.get(number) in MAKING_CALLS:
            self._handle_making_call(thread, registers, process)
        elif number in self._processor.world_calls:
            self._handle_world_call(thread, registers, process)
        else:
            self._handle_mapping_call(thread, registers, process)

    def _handle_signal(self, thread: int, registers: Registers, process: TracedProcess | None) -> None:
        """Let a signal go to the process or thread that is meant, and note who sends it."""
        frames = self._frames.pop(thread, None)
        if frames is None and process and self._can_ask(process):
            self._ask_for_place(thread, registers, process)
            return
        ids = 1 + (registers.system_call == self._calls.tgkill)
        self.signal_places[registers.arguments[ids]] = place_in(frames or ())
        for index in range(ids):
            offsets = (PROCESS_ID_OFFSET, self._world.process_id_offset)
            if (real := self._numbers.real_id(registers.arguments[index], offsets)) is not None:
                registers.set_argument(index, real)
        registers.write()
        ptrace.proceed(thread)

    def _handle_mapping_call(self, thread: int, registers: Registers, process: TracedProcess) -> None:
        is_mmap = registers.system_call == self._calls.mmap
        frames = self._frames.pop(thread, None) if is_mmap else None
        if is_mmap and frames is None and is_shared_writable(registers) and self._can_ask(process):
            self._ask_for_place(thread, registers, process)
        else:
            self.mapping_calls.begin(registers, process, frames or ())

    def _tell_id(self, thread: int, registers: Registers, process: TracedProcess | None) -> None:
        """Answer a question for the id of the process or of the thread."""
        frames = self._frames.pop(thread, None)
        library = process.calling_library(registers) if process and process.steered else ""
        asks_for_process = registers.system_call == self._calls.getpid
        # Native code that keeps its thread's id would keep it across a fork as well.
        is_native = not asks_for_process and not is_python(library)
        if is_native or notices_forks(library) or compares_process_ids(frames or ()):
            offset = PROCESS_ID_OFFSET
        elif frames is None and self._can_ask(process) and process and self.world_calls.may_ask():
            self._ask_for_place(thread, registers, process)
            return
        else:
            offset = self._world.process_id_offset
            self.world_calls.record_process_id(library, frames or ())
        asked = self._leader(thread) if asks_for_process else thread
        self._skip(thread, registers, offset + self._numbers.of(asked))

    def _can_ask(self, process: TracedProcess | None) -> bool:
        """Return whether the signal that asks for a place is handled: a child that is to execute has no handlers."""
        return self._is_watched and process is not None and process.steered and not process.is_fork

    def _ask_for_place(self, thread: int, registers: Registers, process: TracedProcess) -> None:
        """Let the program tell which line of Python runs, and then make its system call again."""
        self._frames[thread] = ()  # should the signal be blocked
        registers.retry_system_call()
        registers.write()
        ptrace.send_signal(self._calls.tgkill, process.leader, thread, protocol.PLACE_SIGNAL)
        ptrace.proceed(thread)

    def _handle_making_call(self, thread: int, registers: Registers, process: TracedProcess) -> None:
        frames = self._frames.pop(thread, None)
        if frames is None and self._can_ask(process):
            self._ask_for_place(thread, registers, process)
            return
        self.descriptor_calls.begin(self._processor.world_calls[registers.system_call], registers, frames or ())
        ptrace.proceed_to_syscall_stop(thread)

    def _handle_world_call(self, thread: int, registers: Registers, process: TracedProcess) -> None:
        name = self._processor.world_calls[registers.system_call]
        path = self.world_calls.path_of(name, registers, process)
        frames = self._frames.pop(thread, None)
        if frames is None and self._can_ask(process) and self.world_calls.is_worth_asking(name, registers, path):
            self._ask_for_place(thread, registers, process)
            return
        result = self.world_calls.answer(name, registers, process, path, frames or ())
        if result is None:
            ptrace.proceed(thread)
        else:
            self._skip(thread, registers, result)

    def _skip(self, thread: int, registers: Registers, result: int) -> None:
        registers.skip_system_call(result)
        registers.write()
        ptrace.proceed(thread)

    def _answer_request(self, thread: int, registers: Registers, process: TracedProcess) -> None:
        """Answer an operation of capture.h."""
        option, address, length, *_ = registers.arguments
        operation = option - protocol.OPTIONS
        if operation == Operation.SNAPSHOT:
            self._take_snapshot(thread, registers, process, kind=address)
            return
        result = 0
        if operation == Operation.IS_CAPTURED:
            result = 1
        elif operation == Operation.REPORT:
            self._on_report(process.memory.read(address, length))
        elif operation == Operation.GET_PLACEMENT:
            process.memory.write(address, self._placement.packed())
        elif operation == Operation.GET_KEYS:
            process.memory.write(address, self._placement.packed_keys())
        elif operation == Operation.PUT_BLOCKS:
            self._placement.record(process.memory, address)
        elif operation == Operation.GET_FORK_HANDLERS:
            handlers = process.handlers_to_run()
            process.memory.write(address, handlers[:length])
            result = len(handlers) // protocol.FORK_HANDLER.size
        elif operation == Operation.WATCH:
            self._is_watched = bool(address)
        elif operation == Operation.PLACE:
            text = process.memory.read(address, length).decode("utf-8", "surrogateescape")
            self._frames[thread] = tuple(text.splitlines())
        else:
            result = -errno.EINVAL
        self._skip(thread, registers, result)

    def _take_snapshot(self, thread: int, registers: Registers, process: TracedProcess, *, kind: int) -> None:
        """Store the process as it is behind its system call, then end it: it is a copy that was made for this."""
        registers.skip_system_call(0)
        registers.write()
        ptrace.proceed_to_syscall_stop(thread)
        ptrace.wait_for(thread)
        try:
            self._on_snapshot(thread, kind, process)
        finally:
            os.kill(self._leader(thread), signal.SIGKILL)
