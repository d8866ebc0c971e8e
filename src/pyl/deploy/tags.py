"""What marks a thing in AWS as pyl's, and of which project: names and tags."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

PROJECT = "pyl:project"
"""The tag whose value is `Owner.tag`."""


@dataclass(frozen=True, kw_only=True)
class Owner:
    """A project as deployed once: the same project may stand in an account several times, under prefixes."""

    project: str
    prefix: str = ""
    """What the names in AWS begin with (`test-`)."""

    @property
    def tag(self) -> str:
        """Value of the tag `pyl:project`."""
        return re.sub(r"[^\w .:/=+@-]", "-", f"{self.prefix}{self.project}")[:256]

    @property
    def tags(self) -> dict[str, str]:
        """What each thing that can be tagged carries."""
        return {PROJECT: self.tag}

    def owns(self, tags: Mapping[str, str]) -> bool:
        """Whether a thing with these tags was made for this project."""
        return tags.get(PROJECT) == self.tag

    def name(self, part: str, *, longest: int = 64) -> str:
        """A name in AWS for a part of the project (`orders-notify`), where the project's must be in it.

        Longer ones are cut and end with a hash of the whole.
        """
        whole = re.sub(r"[^A-Za-z0-9_-]+", "-", f"{self.prefix}{self.project}-{part}").strip("-")
        if len(whole) <= longest:
            return whole
        digest = hashlib.sha256(whole.encode()).hexdigest()[:8]
        return f"{whole[: longest - 9]}-{digest}"

    def function_name(self, function: str) -> str:
        """The name in AWS of a function: its own, behind the prefix."""
        return f"{self.prefix}{function}"


def tags_to_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """As most services take them: `[{"Key": ..., "Value": ...}]`."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def tags_from_list(tags: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """The other way round; also `TagKey` and `TagValue`, as some services call them."""
    return {tag.get("Key", tag.get("TagKey", "")): tag.get("Value", tag.get("TagValue", "")) for tag in tags}
