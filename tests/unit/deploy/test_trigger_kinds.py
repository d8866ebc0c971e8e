"""The tables over types of triggers know all types."""

from __future__ import annotations

from pyl.deploy.triggers.iam_permissions import TRIGGER_PERMISSIONS
from pyl.deploy.triggers.kinds import KINDS
from pyl.deploy.triggers.permissions import PRINCIPALS
from pyl.project.config.triggers import TRIGGERS
from pyl.project.trigger_rules import EVENTS


def test_every_type_has_an_event_and_a_resource() -> None:
    assert set(EVENTS) == set(KINDS) == set(TRIGGERS)


def test_every_source_is_polled_or_calls_the_function() -> None:
    assert set(PRINCIPALS) | set(TRIGGER_PERMISSIONS) == set(TRIGGERS)
    assert not set(PRINCIPALS) & set(TRIGGER_PERMISSIONS)


def test_sources_that_call_the_function_can_be_disconnected() -> None:
    assert {type_ for type_, kind in KINDS.items() if kind.disconnect} == set(PRINCIPALS)
