"""The system call by which a captured program and the tracer talk: `prctl` with options that no kernel knows.

This is the one declaration of it. `launcher/capture.h` is generated from it (`python -m pyl.image.headers`); the C
runtime hands what Python needs inside the program on to `pyl.runtime.restore.checkpoint`, as members of `_native`.
"""

from __future__ import annotations

from enum import IntEnum

from pyl.image.snapshot import BASE, FULL
from pyl.image.structures import Field, Structure, comment, enumeration
from pyl.lambda_environment import PAGE

OPTIONS = 0x70796C00
"""Added to the operation, that is the first argument. Containers' seccomp filters answer unknown system calls
themselves, but let unknown options of `prctl` pass."""


class Operation(IntEnum):
    """What the program asks. Without a tracer the kernel answers each with -EINVAL."""

    IS_CAPTURED = 0
    REPORT = 1
    SNAPSHOT = 2
    GET_PLACEMENT = 3
    GET_KEYS = 4
    PUT_BLOCKS = 5
    WATCH = 6
    PLACE = 7
    GET_FORK_HANDLERS = 8


def is_request(option: int) -> bool:
    """Return whether the first argument of a `prctl` is meant for the tracer."""
    return option & ~0xFF == OPTIONS


_OPERATIONS = {
    Operation.IS_CAPTURED: "Is this process being captured? Returns 1 if so.",
    Operation.REPORT: "Second and third argument: address and length of a JSON text for the build.",
    Operation.SNAPSHOT: "Store this process. Second argument: PYL_BASE or PYL_FULL. Returns in a restored process, "
    "with the address of a `struct pyl_restored`.",
    Operation.GET_PLACEMENT: "Second argument: a `struct pyl_placement` for the tracer to fill in.",
    Operation.GET_KEYS: "Second and third argument: address and length of the room for the keys.",
    Operation.PUT_BLOCKS: "Second argument: a `struct pyl_blocks` for the tracer to keep.",
    Operation.WATCH: "Second argument: 1 while PYL_PLACE_SIGNAL is answered with PYL_PLACE, then 0.",
    Operation.GET_FORK_HANDLERS: "Second and third argument: address and length of the room for a list of "
    "`struct pyl_fork_handler`, which a restored process has to call. Returns how many there are.",
    Operation.PLACE: "Second and third argument: address and length of a text, `file:line` of each Python frame.",
}


class PlacementMode(IntEnum):
    """Where the blocks of Python's objects go."""

    RECORDED = 0
    ISOLATED = 1
    COMPACT = 2


_MODES = {
    PlacementMode.RECORDED: "In order of allocation; all are recorded.",
    PlacementMode.ISOLATED: "Those with a key on pages of their own; all are recorded.",
    PlacementMode.COMPACT: "Those with a key beside each other.",
}

PLACE_SIGNAL = 62
"""The tracer's question which line of Python runs. A real-time signal, since nothing in Python uses those."""

GRAIN = 16
"""Bytes. Blocks of the heap are multiples of it, and have one key for each."""

PLACEMENT = Structure(
    "pyl_placement",
    Field("mode"),
    Field("key_count"),
    comment="What the heap is to do. `mode`: one of PYL_PLACEMENT_*.",
)
BLOCKS = Structure(
    "pyl_blocks",
    Field("address"),
    Field("bytes"),
    Field("keys"),
    comment="A part of the heap, and the address of the keys of its blocks: 8 bytes for each PYL_GRAIN, zero where no "
    "block is.",
)
FORK_HANDLER = Structure(
    "pyl_fork_handler",
    Field("prepare"),
    Field("child"),
    comment="What a library gave `pthread_atfork`: addresses of functions, or zero.",
)

EXTENSION = "_native.so"
"""File name of the program's end of the protocol, in its package folder `pyl/runtime`."""

WARM_UP_VARIABLE = "PYL_WARM_UP"
CONFIGURED_VARIABLE = "PYL_CONFIGURED"
FUNCTIONS_VARIABLE = "PYL_FUNCTIONS"
REHEARSAL = "pyl rehearsal"

_TEXTS = {
    "WARM_UP_VARIABLE": (
        WARM_UP_VARIABLE,
        "Environment variable at capture. JSON, `{function name: event}`: each is called before the snapshot.",
    ),
    "CONFIGURED_VARIABLE": (
        CONFIGURED_VARIABLE,
        "Environment variable at capture: the names of the project's own variables, separated by spaces.",
    ),
    "FUNCTIONS_VARIABLE": (
        FUNCTIONS_VARIABLE,
        "Environment variable at capture: the functions to load, separated by spaces; all if it is not set.",
    ),
    "REHEARSAL": (REHEARSAL, "A function of pyl's own in every image. No `_HANDLER` of Lambda's contains a space."),
}


def header() -> str:
    """Return `capture.h`."""
    title = (
        "The system call by which a captured program and the tracer talk: prctl with options that no kernel knows. The "
        "first argument is PYL_OPTIONS + operation."
    )
    operations = {f"PYL_{operation.name}": operation.value for operation in Operation}
    modes = {f"PYL_PLACEMENT_{mode.name}": mode.value for mode in PlacementMode}
    texts = "\n".join(f'{comment(about)}\n#define PYL_{name} "{text}"\n' for name, (text, about) in _TEXTS.items())
    return f"""\
{comment(title)}
#ifndef PYL_CAPTURE_H
#define PYL_CAPTURE_H

#include <stdint.h>

enum {{ PYL_OPTIONS = {OPTIONS:#x} }};

{comment("Operations. Without a tracer the kernel answers each with -EINVAL.")}
{enumeration(operations, comments={f"PYL_{operation.name}": about for operation, about in _OPERATIONS.items()})}
{comment("Kinds of a snapshot.")}
{enumeration({"PYL_BASE": BASE, "PYL_FULL": FULL})}
{comment("Where the blocks of Python's objects go.")}
{enumeration(modes, comments={f"PYL_PLACEMENT_{mode.name}": about for mode, about in _MODES.items()})}
enum {{ PYL_GRAIN = {GRAIN}, PYL_PAGE = {PAGE}, PYL_PLACE_SIGNAL = {PLACE_SIGNAL} }};

{PLACEMENT.declaration()}
{BLOCKS.declaration()}
{FORK_HANDLER.declaration()}
{texts}
#endif
"""
