"""Names and tags that identify the resources of a project in AWS."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

PROJECT = "pyl:project"
"""Key of the tag whose value is `Owner.tag`."""


@dataclass(frozen=True, kw_only=True)
class Owner:
    """One deployment of a project. A project can be deployed several times in an account, with different prefixes."""

    project: str
    prefix: str = ""
    """Prefix of all names in AWS (`test-`)."""

    @property
    def tag(self) -> str:
        """Value of the tag `pyl:project`."""
        return re.sub(r"[^\w .:/=+@-]", "-", f"{self.prefix}{self.project}")[:256]

    @property
    def tags(self) -> dict[str, str]:
        """Tags of each resource that can be tagged."""
        return {PROJECT: self.tag}

    def owns(self, tags: Mapping[str, str]) -> bool:
        """Whether a resource with these tags was created for this project."""
        return tags.get(PROJECT) == self.tag

    def name(self, part: str, *, longest: int = 64) -> str:
        """Return a name in AWS that contains the project's name (`orders-notify`).

        Args:
            part: Last part of the name.
            longest: Maximum length. Longer names are cut and end with a hash.
        """
        whole = re.sub(r"[^A-Za-z0-9_-]+", "-", f"{self.prefix}{self.project}-{part}").strip("-")
        if len(whole) <= longest:
            return whole
        digest = hashlib.sha256(whole.encode()).hexdigest()[:8]
        return f"{whole[: longest - 9]}-{digest}"

    def function_name(self, function: str) -> str:
        """Return the name of a function in AWS: its own with the prefix."""
        return f"{self.prefix}{function}"


def tags_to_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Convert tags to the form that most services accept: `[{"Key": ..., "Value": ...}]`."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def tags_from_list(tags: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Convert tags from a list with `Key` and `Value`, or with `TagKey` and `TagValue`."""
    return {tag.get("Key", tag.get("TagKey", "")): tag.get("Value", tag.get("TagValue", "")) for tag in tags}
