"""Finding `cpuid` and `xgetbv` in machine code."""

from __future__ import annotations

from pyl.image.arch.x86_64.disassembly import Code, find

NOPS = b"\x90" * 128


def test_both_instructions_are_found() -> None:
    content = NOPS + b"\x0f\xa2" + NOPS + b"\x0f\x01\xd0" + NOPS
    assert find(Code(content, 0x1000, ())) == [(0x1000 + 128, b"\x0f\xa2"), (0x1000 + 258, b"\x0f\x01\xd0")]


def test_bytes_inside_another_instruction_are_left_alone() -> None:
    # mov eax, 0x0090a20f
    content = NOPS + b"\xb8\x0f\xa2\x90\x00" + NOPS
    assert find(Code(content, 0, ())) == []
    assert find(Code(content, 0, (0,))) == []


def test_a_function_start_decides_where_data_stands_before() -> None:
    # A movabs opcode at the end of data would swallow the instruction that follows it.
    content = b"\x48\xb8" + b"\x0f\xa2\xc3" + NOPS
    assert find(Code(content, 0, (2,))) == [(2, b"\x0f\xa2")]
