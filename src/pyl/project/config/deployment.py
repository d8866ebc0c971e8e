"""The configuration of deployment, made of values that were found right one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from pyl.project.model import Allowed, DeploymentConfiguration

_NAMES = tuple(field.name for field in fields(DeploymentConfiguration))


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """Keys that are right, but not together."""

    key: str
    message: str
    hint: str


def deployment_configuration(values: Mapping[str, Any]) -> DeploymentConfiguration:
    """The keys of `values` that are deployment's, as data."""
    plain = {name: _frozen(values[name]) for name in _NAMES if name in values}
    allowed = tuple(
        Allowed(actions=tuple(item["actions"]), resources=tuple(item["resources"])) for item in values.get("allow", ())
    )
    return DeploymentConfiguration(**plain | {"allow": allowed})


def key_conflicts(own: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[Conflict]:
    """What of a table's own values does not go with all that hold there."""
    for one, other in (("subnets", "security_groups"), ("security_groups", "subnets")):
        if own.get(one) and not values.get(other):
            yield Conflict(
                key=one, message=f"`{one}` without `{other}`: Lambda takes both or none", hint=f"add `{other}`"
            )
    for key in ("allow", "policies"):
        if own.get(key) and own.get("role"):
            message = f"`{key}` is for a role that pyl makes; `role` names one that is left as it is"
            yield Conflict(
                key=key, message=message, hint=f"add to that role what the function needs, and leave out `{key}`"
            )
    for key in ("url_mode", "url_origins"):
        if key in own and values.get("url") in {None, "off"}:
            yield Conflict(key=key, message=f"`{key}` without a function URL", hint='add url = "iam", or "public"')
    if own.get("layers") and str(values.get("runtime", "")).startswith("provided"):
        message = "`layers` with a native package, which is loaded from its image and not from layers"
        yield Conflict(key="layers", message=message, hint="leave it out")


def _frozen(value: object) -> Any:
    return tuple(value) if isinstance(value, list) else value
