"""What a project accepts that its image keeps of one instance."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from pyl.lambda_environment import APP

if TYPE_CHECKING:
    from pyl.image.capture.judgement import Finding

_SITE = f"{APP}/site/"
_LINE = r".+\.py:\d+"


def is_accepted(finding: Finding, accept: Iterable[str]) -> bool:
    """Return whether each place of a finding is one that a project accepts.

    Args:
        finding: What an image keeps.
        accept: Places, each a line of code (`app.py:12`, `shop/ids.py:3`), an import package (`redis`) or a library
            (`libfoo.so.1`).
    """
    entries = tuple(accept)
    places = finding.place.split(", ")
    return finding.is_acceptable and all(any(names(entry, place) for entry in entries) for place in places)


def names(entry: str, place: str) -> bool:
    """Return whether an entry of `accept` names a place."""
    if re.fullmatch(_LINE, entry):
        return place == _SITE + entry
    module = _SITE + entry.replace(".", "/")
    return place == entry or place.startswith((f"{module}/", f"{module}.py:"))


def unused(accept: Sequence[str], accepted: Iterable[Finding]) -> list[str]:
    """Return the entries that accept nothing."""
    places = [place for finding in accepted for place in finding.place.split(", ")]
    return [entry for entry in accept if not any(names(entry, place) for place in places)]
