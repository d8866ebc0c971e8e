"""Encodes memory of a program in a third of its bytes; page_codec.c decodes it about as fast as it could be copied.

Half of the words of a heap are zero, most others small numbers or pointers into a few places. So each word is encoded
as half a byte, its kind, and its lowest bytes, as many as its kind says; the rest of it is the kind's. As in WKdm
(Wilson, Kaplan and Smaragdakis, "The Case for Compressed Caching in Virtual Memory Systems", 1999), but with kinds
that are chosen for the memory at hand.
"""

from __future__ import annotations

import heapq
import struct
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pyl.image.file.structures import WORD_BYTES, WORD_KINDS, WORDS_PER_PAGE

_SAMPLE = 512
"""Pages that are looked at to choose the kinds. Each takes time and memory."""

_REMEMBERED = 100_000
"""Words whose encoding is cached at most: they are often alike."""


@dataclass(frozen=True, order=True)
class Kind:
    """Words that are equal but for their lowest bytes."""

    base: int
    """The bytes that they share, with zeros for the lowest bytes."""
    bytes: int
    """Number of lowest bytes that each word has for itself."""


_ALWAYS = (Kind(0, 0), Kind(0, 1), Kind(0, 4), Kind(0, WORD_BYTES))
"""Zeros, small numbers, and whatever else there is."""

_WORDS = struct.Struct(f"<{WORDS_PER_PAGE}Q")


def choose_kinds(pages: Sequence[bytes]) -> tuple[Kind, ...]:
    """Return `WORD_KINDS` kinds that encode `pages` in few bytes.

    Those of `_ALWAYS` come first, then, in turn, the kind that saves most.
    """
    every = max(1, len(pages) // _SAMPLE)
    counts = Counter(word for page in pages[::every] for word in _WORDS.unpack(page))
    lengths = {word: _shortest(word, _ALWAYS)[0] for word in counts}
    alike: defaultdict[Kind, list[int]] = defaultdict(list)
    for word, length in lengths.items():
        for own in range(length):
            alike[Kind(word >> 8 * own << 8 * own, own)].append(word)

    def saved_by(kind: Kind) -> int:
        return sum(counts[word] * (lengths[word] - kind.bytes) for word in alike[kind] if lengths[word] > kind.bytes)

    # What a kind saves only ever becomes less, so the first whose saving still holds is the best.
    waiting = [(-saved_by(kind), kind) for kind in alike]
    heapq.heapify(waiting)
    chosen = list(_ALWAYS)
    while len(chosen) < WORD_KINDS and waiting:
        _, kind = heapq.heappop(waiting)
        saved = saved_by(kind)
        if waiting and saved < -waiting[0][0]:
            heapq.heappush(waiting, (-saved, kind))
            continue
        chosen.append(kind)
        lengths.update((word, min(lengths[word], kind.bytes)) for word in alike[kind])
    return (*chosen, *[_ALWAYS[0]] * (WORD_KINDS - len(chosen)))


def encode(pages: Iterable[bytes], kinds: Sequence[Kind]) -> bytes:
    """Return for each page the kinds of its words, two to a byte, then the words' own bytes."""
    known: dict[int, tuple[int, bytes]] = {}
    encoded = bytearray()
    for page in pages:
        words = _WORDS.unpack(page)
        if len(known) > _REMEMBERED:
            known.clear()
        for word in words:
            if word not in known:
                length, number = _shortest(word, kinds)
                known[word] = number, word.to_bytes(WORD_BYTES, "little")[:length]
        encodings = [known[word] for word in words]
        encoded += bytes(
            first | second << 4 for (first, _), (second, _) in zip(encodings[::2], encodings[1::2], strict=True)
        )
        encoded += b"".join(own for _, own in encodings)
    return bytes(encoded)


def _shortest(word: int, kinds: Sequence[Kind]) -> tuple[int, int]:
    """Return the number of own bytes under the kind that leaves a word fewest, and that kind's number."""
    return min((kind.bytes, number) for number, kind in enumerate(kinds) if (word ^ kind.base) >> 8 * kind.bytes == 0)
