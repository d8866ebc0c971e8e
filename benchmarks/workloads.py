"""Handlers that compute in pure Python, to show where compiling helps, and where it does not.

`benchmarks.compute` copies this file into a project of its own.
"""
# ruff: noqa: ARG001 - what a handler is handed

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from pyl import Context, function

_WORD = re.compile(r"[a-z]+")
_TEXT = "the quick brown fox jumps over the lazy dog while seven wizards boil a cauldron of green tea " * 40


@function
def echo(context: Context, event: Any) -> Any:
    """Return the event: all of the time is the runtime's."""
    return event


@function
def transform(context: Context, event: Any) -> dict[str, Any]:
    """Decode JSON, change every record, and encode it."""
    document = json.dumps([{"id": n, "name": f"item {n}", "price": n * 1.25, "tags": ["a", "b"]} for n in range(200)])
    rows = json.loads(document)
    records = [{"key": row["name"].upper(), "gross": round(row["price"] * 1.2, 2)} for row in rows if row["id"] % 3]
    return {"rows": len(records), "bytes": len(json.dumps(records))}


@function
def text(context: Context, event: Any) -> dict[str, Any]:
    """Count the words of a text, and join the most frequent ones."""
    counts: dict[str, int] = {}
    for word in _WORD.findall(_TEXT):
        counts[word] = counts.get(word, 0) + 1
    first = sorted(counts, key=lambda word: (-counts[word], word))[:10]
    return {"words": len(counts), "first": " ".join(first)}


@function
def numbers(context: Context, event: Any) -> dict[str, Any]:
    """Compute with integers and floats in loops."""
    total, value = 0, 1.0
    for index in range(1, 5000):
        total += index * index % 7
        value = value * 1.0001 + index / (index + 1)
    return {"total": total, "value": round(value, 3)}


@dataclass
class Point:
    """A point in the plane."""

    x: float
    y: float

    def moved(self, dx: float, dy: float) -> Point:
        """Return the point moved by (dx, dy)."""
        return Point(self.x + dx, self.y + dy)


@function
def objects(context: Context, event: Any) -> dict[str, Any]:
    """Create objects, call their methods, and sort them."""
    points = [Point(float(n % 17), float(n % 13)) for n in range(800)]
    moved = [point.moved(1.0, -1.0) for point in points]
    moved.sort(key=lambda point: (point.x, point.y))
    return {"first": moved[0].x, "last": moved[-1].y}
