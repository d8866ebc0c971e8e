"""Policies: what a role may do, as the statements that each need adds up to."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Statement:
    """Allows actions on resources."""

    reason: str
    """Why the function needs it, in letters and digits (the statement's `Sid`): `Logs`, `QueueOrders`."""
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    """ARNs; `*` only for actions that know no resources."""

    def as_json(self) -> dict[str, Any]:
        """As IAM takes it, in an order that does not depend on that of the configuration."""
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
    """The policy document; equal statements once."""
    unique = dict.fromkeys(statements)
    return {"Version": "2012-10-17", "Statement": [statement.as_json() for statement in unique]}


def canonical_text(policy: object) -> str:
    """Text that is equal for equal policy documents."""
    return json.dumps(policy, sort_keys=True, separators=(",", ":"))
