"""The structures and constants of `pyl/image`: the one declaration of the file format.

`launcher/image.h` is generated from it (`python -m pyl.image.headers`); docs/image-format.md describes the file.
Offsets count bytes from the start of the file unless stated otherwise; every table lies in the first `header_bytes`.
"""

from __future__ import annotations

from pyl.image.structures import Field, Structure, comment, enumeration
from pyl.lambda_environment import PAGE

MAGIC = int.from_bytes(b"PYLIMAGE", "little")
VERSION = 8

FILE_MEMORY = 0
"""Number of `pyl/memory` in the table of files."""

NO_SAMPLE = 2**64 - 1

GUARD_EQUAL, GUARD_ABSENT, GUARD_TASK_ROOT, GUARD_NO_OTHER = 1, 2, 3, 4
GUARD_PRESENT, GUARD_PATH_ABSENT, GUARD_PATH_PRESENT, GUARD_USER, GUARD_PROCESSORS = 5, 6, 7, 8, 9
"""Kinds of a guard. `Guard` in guards.py says what its name and value hold for each."""

SEGMENT_ZERO, SEGMENT_WIPE_ON_FORK, SEGMENT_NO_RESERVE, SEGMENT_PROTECT = 1, 2, 4, 8
"""Flags of a segment. With `SEGMENT_PROTECT` it is a part of an earlier one that has another protection."""

SEGMENT_FILE_SHIFT = 16
"""The flags hold, from this bit on, the number of the file that the segment is mapped from."""

WORD_BYTES = 8
WORDS_PER_PAGE = PAGE // WORD_BYTES
WORD_KINDS = 16
"""As many as half a byte can number."""

ENCODED_PAGE_MARGIN = WORDS_PER_PAGE // 2 + PAGE + WORD_BYTES
"""Bytes that must follow the beginning of each encoded page: a decoder may read that far."""

CHECKSUM_SEEDS = 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F
CHECKSUM_FACTORS = 0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53
"""Of the two lanes of the checksum; see `checksum` in format.py and header.c."""

TABLE = Structure("table", Field("offset", "uint32_t"), Field("count", "uint32_t"))

HEADER = Structure(
    "image_header",
    Field("magic"),
    Field("version", "uint32_t"),
    Field("header_bytes", "uint32_t"),
    Field("file_bytes"),
    Field("checksum", comment="Of the header's 8-byte words, this one taken as zero."),
    Field("variants", TABLE),
    Field("files", TABLE, "Of the package, that segments are mapped from; the first one is `pyl/memory`."),
)

FILE = Structure(
    "image_file",
    Field("path", "uint32_t", "Offset of a string."),
    Field("reserved", "uint32_t"),
    Field("bytes"),
)

GUARD = Structure(
    "image_guard",
    Field("kind", "uint32_t"),
    Field("name", "uint32_t", "Offset of a string that ends in a zero byte."),
    Field("value", "uint32_t", "Likewise."),
    Field("reserved", "uint32_t"),
)

SEGMENT = Structure(
    "image_segment",
    Field("address"),
    Field("length"),
    Field("offset"),
    Field("protection", "uint32_t"),
    Field("flags", "uint32_t"),
)

RANGE = Structure("image_range", Field("start"), Field("length"))

ACTION = Structure("image_action", Field("number"), Field("handler"), Field("flags"), Field("restorer"), Field("mask"))

WORD_KIND = Structure(
    "word_kind",
    Field("base"),
    Field("own", comment="The bits that each word has for itself, the lowest ones."),
    Field("own_bytes"),
    comment="Words that are equal but for their lowest bytes.",
)

KERNEL_STATE = Structure(
    "image_kernel_state",
    Field("thread_id_address"),
    Field("robust_list"),
    Field("robust_list_bytes"),
    Field("signal_mask"),
    Field("alternate_stack"),
    Field("alternate_stack_bytes"),
    Field("directory", "uint32_t", "Offset of a string; 0 for the directory in which the launcher is started."),
    Field("reserved", "uint32_t"),
)

VARIANT = Structure(
    "image_variant",
    Field("kind", "uint32_t", "PYL_FULL or PYL_BASE."),
    Field("reserved", "uint32_t"),
    Field("guards", TABLE),
    Field("segments", TABLE),
    Field("mapped", TABLE, "Ranges of memory that the segments map, by address; each is as long as it can be."),
    Field("encoded", TABLE, "For a cold page cache, besides: ranges of memory that a cold start writes,"),
    Field("word_kinds", TABLE),
    Field("packed", TABLE, "and segments of what else it touches, mapped from this file."),
    Field("actions", TABLE),
    Field("populate", TABLE, "For a warm one: ranges of memory that are written at once."),
    Field("rarely_used", TABLE, "For a cold one: ranges of memory without readahead."),
    Field("neighbourhoods", TABLE, "For a warm one: ranges of memory that are mapped without what lies around."),
    Field("patched", TABLE, "Ranges of memory to be combined with the pages from `patches` on, by exclusive or."),
    Field("readahead", RANGE, "Part of this file: the encoded pages, then the packed ones."),
    Field("encoded_bytes"),
    Field("sample", comment="Offset in `pyl/memory`: if this page is cached, so are all that a cold start touches."),
    Field("patches", comment="Offset in `pyl/memory`."),
    Field("kernel", KERNEL_STATE),
    tail="struct processor_state processor;",
)


def header() -> str:
    """Return `image.h`."""
    guards = {
        "GUARD_EQUAL": GUARD_EQUAL,
        "GUARD_ABSENT": GUARD_ABSENT,
        "GUARD_TASK_ROOT": GUARD_TASK_ROOT,
        "GUARD_NO_OTHER": GUARD_NO_OTHER,
        "GUARD_PRESENT": GUARD_PRESENT,
        "GUARD_PATH_ABSENT": GUARD_PATH_ABSENT,
        "GUARD_PATH_PRESENT": GUARD_PATH_PRESENT,
        "GUARD_USER": GUARD_USER,
        "GUARD_PROCESSORS": GUARD_PROCESSORS,
    }
    flags = {
        "SEGMENT_ZERO": SEGMENT_ZERO,
        "SEGMENT_WIPE_ON_FORK": SEGMENT_WIPE_ON_FORK,
        "SEGMENT_NO_RESERVE": SEGMENT_NO_RESERVE,
        "SEGMENT_PROTECT": SEGMENT_PROTECT,
        "SEGMENT_FILE_SHIFT": SEGMENT_FILE_SHIFT,
    }
    about = {
        "SEGMENT_PROTECT": "A part of an earlier segment that has another protection.",
        "ENCODED_PAGE_MARGIN": "Bytes from the beginning of an encoded page on that a decoder may read.",
        "SEGMENT_FILE_SHIFT": "From this bit on: the number of the file that it is mapped from.",
    }
    words = {
        "WORD_KINDS": WORD_KINDS,
        "WORDS_PER_PAGE": WORDS_PER_PAGE,
        "ENCODED_PAGE_MARGIN": ENCODED_PAGE_MARGIN,
    }
    seeds, factors = (", ".join(f"{number:#x}ul" for number in pair) for pair in (CHECKSUM_SEEDS, CHECKSUM_FACTORS))
    structures = (TABLE, HEADER, FILE, GUARD, SEGMENT, RANGE, ACTION, WORD_KIND, KERNEL_STATE, VARIANT)
    declarations = "\n".join(structure.declaration() for structure in structures)
    title = (
        "The file `pyl/image`; docs/image-format.md describes it. Little-endian, naturally aligned. Offsets count "
        "bytes from the start of the file unless stated otherwise; every table lies in the first `header_bytes`."
    )
    return f"""\
{comment(title)}
#ifndef PYL_IMAGE_H
#define PYL_IMAGE_H

#include "processor_state.h"

#include <stdint.h>

#define IMAGE_MAGIC {MAGIC:#x}ul /* "PYLIMAGE" */
#define NO_SAMPLE {NO_SAMPLE:#x}ul
#define CHECKSUM_SEEDS {seeds}
#define CHECKSUM_FACTORS {factors}

enum {{ IMAGE_VERSION = {VERSION} }};
enum {{ FILE_MEMORY = {FILE_MEMORY} }}; /* the number of `pyl/memory` */

{enumeration(guards)}
{enumeration(flags, comments=about)}
{enumeration(words, comments=about)}
{declarations}
/* What is at an offset of the header, which must have been checked. */
#define TABLE(header, table, type) ((const type *)((const char *)(header) + (table).offset))
#define TEXT(header, offset) ((const char *)(header) + (offset))

#endif
"""
