"""Generates the C headers of what C and Python share: `python -m pyl.image.headers`, or `make generate`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pyl.image import arch
from pyl.image.capture import protocol
from pyl.image.file import structures

_LAUNCHER = Path(__file__).parent / "launcher"


def generate() -> Iterator[tuple[Path, str]]:
    """Yield the path and the text of each generated header."""
    yield _LAUNCHER / "image.h", _marked(structures.header(), "pyl/image/file/structures.py")
    yield _LAUNCHER / "capture.h", _marked(protocol.header(), "pyl/image/capture/protocol.py")
    for architecture in arch.supported():
        processor = arch.of(architecture)
        assert processor is not None  # noqa: S101 - it is supported
        text = f"""\
/* The registers of {architecture} that a restore brings back. */
#ifndef PYL_PROCESSOR_STATE_H
#define PYL_PROCESSOR_STATE_H

#include <stddef.h>
#include <stdint.h>

{processor.state.declaration()}
#endif
"""
        yield processor.folder / "processor_state.h", _marked(text, f"pyl/image/arch/{architecture}")


def _marked(text: str, source: str) -> str:
    return f"/* Generated from {source} by `python -m pyl.image.headers`; do not edit. */\n{text}"


def main() -> None:
    """Write the headers."""
    for path, text in generate():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
