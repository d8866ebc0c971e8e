"""Encodes memory of a program in a third of its bytes; c/words.c decodes it about as fast as it could be copied.

Half of the words of a heap are zero, most others small numbers or pointers into a few places. So each word is told by
half a byte, its kind, and its lowest bytes, as many as its kind says; the rest of it is the kind's. It is the idea of
WKdm (Wilson, Kaplan and Smaragdakis, "The Case for Compressed Caching in Virtual Memory Systems", 1999) with kinds that
are chosen for the memory at hand.
"""

from __future__ import annotations

import heapq
import struct
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pyl.lambda_environment import PAGE

KINDS = 16
"""As many as half a byte tells."""

MARGIN = PAGE // 16 + PAGE + 8
"""Bytes that must follow the beginning of each encoded page, so that it need not be watched while it is decoded."""

_SAMPLE = 512
"""Pages, of the many that there may be, that stand for all. To choose takes time and memory for each."""

_REMEMBERED = 100_000
"""Words whose kinds are known, at most, since they are often alike."""

_WORD = 8


@dataclass(frozen=True, order=True)
class Kind:
    """Words that are equal but for their lowest bytes."""

    base: int
    """With zeros for the lowest bytes."""
    bytes: int
    """How many lowest bytes each word has for itself."""


_ALWAYS = (Kind(0, 0), Kind(0, 1), Kind(0, 4), Kind(0, _WORD))
"""Zeros, small numbers, and whatever else there is."""

_WORDS = struct.Struct(f"<{PAGE // _WORD}Q")


def kinds_of(pages: Sequence[bytes]) -> tuple[Kind, ...]:
    """`KINDS` kinds that tell `pages` in few bytes: those of always, then, one by one, that which saves most."""
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
    while len(chosen) < KINDS and waiting:
        _, kind = heapq.heappop(waiting)
        saved = saved_by(kind)
        if waiting and saved < -waiting[0][0]:
            heapq.heappush(waiting, (-saved, kind))
            continue
        chosen.append(kind)
        lengths.update((word, min(lengths[word], kind.bytes)) for word in alike[kind])
    return (*chosen, *[_ALWAYS[0]] * (KINDS - len(chosen)))


def encode(pages: Iterable[bytes], kinds: Sequence[Kind]) -> bytes:
    """Of each page the kinds of its words, two to a byte, then the words' own bytes."""
    known: dict[int, tuple[int, bytes]] = {}
    encoded = bytearray()
    for page in pages:
        words = _WORDS.unpack(page)
        if len(known) > _REMEMBERED:
            known.clear()
        for word in words:
            if word not in known:
                length, number = _shortest(word, kinds)
                known[word] = number, word.to_bytes(_WORD, "little")[:length]
        told = [known[word] for word in words]
        encoded += bytes(first | second << 4 for (first, _), (second, _) in zip(told[::2], told[1::2], strict=True))
        encoded += b"".join(own for _, own in told)
    return bytes(encoded)


def _shortest(word: int, kinds: Sequence[Kind]) -> tuple[int, int]:
    """How many bytes a word has for itself by the kind that leaves it fewest, and that kind's number."""
    return min((kind.bytes, number) for number, kind in enumerate(kinds) if (word ^ kind.base) >> 8 * kind.bytes == 0)
