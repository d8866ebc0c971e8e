"""Faults of a restored program: one line in the log, then death by the signal as without an image."""

from __future__ import annotations

import json
import signal
import textwrap
from pathlib import Path
from typing import Any

import pytest

from integration.image import image_fuzzer, packages
from integration.image.image_fuzzer import Outcome
from pyl.image.create import capture

SOURCE = textwrap.dedent(
    """
    import ctypes, faulthandler, os, signal, subprocess, sys, threading

    def in_a_thread():
        thread = threading.Thread(target=ctypes.string_at, args=(0,))
        thread.start()
        thread.join()

    def overflow():
        sys.setrecursionlimit(10_000_000)
        compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)
        callbacks = []
        callbacks.append(compare(lambda n: callbacks[0](n)))
        callbacks[0](1)

    def trampoline(code):
        import mmap
        memory = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        memory.write(code)
        ctypes.CFUNCTYPE(None)(ctypes.addressof(ctypes.c_char.from_buffer(memory)))()

    def handled():
        seen = []
        signal.signal(signal.SIGSEGV, lambda number, frame: seen.append(number))
        os.kill(os.getpid(), signal.SIGSEGV)
        return seen

    def in_a_child():
        child = subprocess.run(["/bin/sh", "-c", "kill -SEGV $$"], stderr=subprocess.PIPE)
        return child.returncode

    KINDS = {
        "segv": lambda: ctypes.string_at(0),
        "thread": in_a_thread,
        "overflow": overflow,
        "abort": os.abort,
        "illegal": lambda: trampoline(b"\\x0f\\x0b"),
        "division": lambda: trampoline(b"\\x31\\xc9\\x31\\xd2\\xb8\\x01\\x00\\x00\\x00\\xf7\\xf9\\xc3"),
        "sent": lambda: os.kill(os.getpid(), signal.SIGBUS),
        "handled": handled,
        "default": lambda: str(signal.getsignal(signal.SIGSEGV)),
        "child": in_a_child,
        "forked": lambda: os.waitpid(os.posix_spawn("/bin/sh", ["sh", "-c", "exit 3"], {}), 0)[1] >> 8,
        "faulthandler": lambda: (faulthandler.enable(), ctypes.string_at(0)),
    }

    def handler(event, context):
        return KINDS[event]()
    """
)


@pytest.fixture(scope="module")
def package(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fatal") / "package"
    package = packages.with_functions(base, folder, {"handlers.py": SOURCE}, {"handler": "handlers:handler"})
    assert capture(package, environment={}).kind == "full"
    return package


def notices_of(outcome: Outcome) -> list[dict[str, Any]]:
    return [json.loads(line) for line in outcome.log.splitlines() if '"pyl.launcher"' in line]


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("segv", signal.SIGSEGV),
        ("thread", signal.SIGSEGV),
        ("overflow", signal.SIGSEGV),
        ("faulthandler", signal.SIGSEGV),
        ("abort", signal.SIGABRT),
        ("illegal", signal.SIGILL),
        ("division", signal.SIGFPE),
        ("sent", signal.SIGBUS),
    ],
)
def test_a_fault_is_logged_in_one_line_and_kills_with_its_signal(
    package: Path, kind: str, number: signal.Signals
) -> None:
    outcome = image_fuzzer.start(package, kind)
    (notice,) = notices_of(outcome)
    assert (notice["level"], notice["signal"]) == ("ERROR", number.name)
    assert "image = false" in notice["message"]
    assert outcome.answers == []
    assert outcome.returncode in (-number, 128 + number)
    assert ("Fatal Python error" in outcome.log) == (kind == "faulthandler")


@pytest.mark.parametrize(
    ("kind", "answer"),
    [("handled", [11]), ("default", "0"), ("child", -signal.SIGSEGV), ("forked", 3)],
)
def test_handlers_of_the_program_and_its_children_are_as_without_an_image(
    package: Path, kind: str, answer: Any
) -> None:
    outcome = image_fuzzer.start(package, kind)
    assert outcome.answers == [("response", answer)], outcome
    assert notices_of(outcome) == []


@pytest.mark.parametrize("files", [3, 4, 5, 6, 8, 16])
def test_few_descriptors_end_no_start_that_would_live_without_an_image(package: Path, files: int) -> None:
    assert_lives_as_without_an_image(package, f"ulimit -n {files}")


@pytest.mark.parametrize("megabytes", [1, 20, 40, 60, 80, 100, 150, 200, 300, 500, 1000])
def test_a_small_address_space_ends_no_start_that_would_live_without_an_image(package: Path, megabytes: int) -> None:
    assert_lives_as_without_an_image(package, f"ulimit -v {megabytes << 10}")


def assert_lives_as_without_an_image(package: Path, limits: str) -> None:
    outcome = image_fuzzer.start(package, "forked", limits)
    plain = image_fuzzer.start(package, "forked", limits, plain=True)
    if plain.answers[:1] == [("response", 3)]:
        assert outcome.answers == plain.answers, (limits, outcome)
        assert len(notices_of(outcome)) <= 1
