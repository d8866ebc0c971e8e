"""IAM policy documents and their statements."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A policy statement that allows actions on resources."""

    reason: str
    """Why the function needs it. Becomes the statement's `Sid`: `Logs`, `QueueOrders`."""
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    """ARNs. `*` is for actions that do not support resource-level permissions."""

    def as_json(self) -> dict[str, Any]:
        """Return the statement in a canonical order, as IAM accepts it."""
        sid = "".join(
            part[:1].upper() + part[1:]
            for part in "".join(
                character if character.isalnum() and character.isascii() else " " for character in self.reason
            ).split()
        )
        return {
            "Sid": sid,
            "Effect": "Allow",
            "Action": sorted(self.actions),
            "Resource": sorted(self.resources),
        }


def policy_document(statements: Iterable[Statement]) -> dict[str, Any]:
    """Return the policy document. Duplicate statements are dropped."""
    unique = dict.fromkeys(statements)
    return {"Version": "2012-10-17", "Statement": [statement.as_json() for statement in unique]}


def canonical_text(policy: object) -> str:
    """Return JSON text that is equal for equal policy documents."""
    return json.dumps(policy, sort_keys=True, separators=(",", ":"))
