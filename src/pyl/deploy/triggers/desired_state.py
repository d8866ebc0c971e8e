"""Resources for the configured triggers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from pyl.deploy.plan import Resource
from pyl.deploy.target import Target
from pyl.deploy.triggers.http import APIResource, api_name
from pyl.deploy.triggers.kinds import KINDS
from pyl.project.config.triggers import HTTPAPITrigger, S3Trigger, Trigger


def trigger_resources(target: Target) -> list[Resource[Any]]:
    """Return the triggers of one function, without the APIs of its routes."""
    triggers = target.function.configuration.triggers
    sources = Counter(trigger.source for trigger in triggers)
    return [
        KINDS[trigger.type].resource(
            target=target,
            label=trigger.source if sources[trigger.source] == 1 else _distinctive_label(trigger),
            trigger=trigger,
        )
        for trigger in triggers
    ]


def api_resources(targets: Sequence[Target]) -> list[APIResource]:
    """Return the HTTP APIs for the routes of these functions, each once."""
    names = {
        api_name(target.owner, trigger): target.owner
        for target in targets
        for trigger in target.function.configuration.triggers
        if isinstance(trigger, HTTPAPITrigger)
    }
    return [APIResource(owner=owner, api=name) for name, owner in names.items()]


def _distinctive_label(trigger: Trigger) -> str:
    """Return the source with details that distinguish triggers with the same source."""
    if isinstance(trigger, S3Trigger):
        return f"{trigger.source}/{trigger.prefix}*{trigger.suffix} {', '.join(trigger.events)}"
    details = [part for part in trigger.identity[1:] if part and part not in trigger.source]
    return " ".join([trigger.source, *details])
