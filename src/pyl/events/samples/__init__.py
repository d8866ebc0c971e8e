"""Sample events, one for each source, to try functions with. They are not part of Lambda packages."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import resources

from pyl.errors import UsageError
from pyl.events import EVENTS


def names() -> list[str]:
    """Return the sources that have a sample, in alphabetical order."""
    return sorted(EVENTS)


def load(name: str) -> bytes:
    """Return the sample event of a source, as JSON.

    Args:
        name: Name of the source, as in `pyl.events.EVENTS`.

    Raises:
        UsageError: There is no such sample.
    """
    if name not in EVENTS:
        near = get_close_matches(name, EVENTS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(names())}"
        msg = f"there is no sample event {name!r}"
        raise UsageError(msg, hint=hint)
    return resources.files(__name__).joinpath(f"{name}.json").read_bytes()
