"""Plans as text and as JSON."""

from __future__ import annotations

import json

from pyl.deploy.aws import HIDDEN
from pyl.deploy.plan import Action, Change, Plan, Verb, make_plan
from pyl.deploy.report import outcome_lines, plan_json, plan_lines
from unit.deploy.resources import Thing, aws


def plan(**world: str) -> Plan:
    desired = [
        Thing(world=world, called="plain", value="new"),
        Thing(world=world, called="hidden", value="s3cret", secret=True),
    ]
    return make_plan(aws(), desired, [Thing(world=world, called="old", value="")])


def lines_of(*changes: Change, verb: Verb = Verb.UPDATE) -> list[str]:
    action = Action(verb=verb, resource=Thing(world={}, called="x", value=""), state="", changes=changes)
    return [line.strip() for line in plan_lines(Plan(actions=(action,)))][1:]


def test_each_thing_is_shown_with_what_changes() -> None:
    assert list(plan_lines(plan(plain="before", old="x"))) == [
        "~ update thing plain",
        "    value: before → new",
        "+ create thing hidden",
        f"    value: {HIDDEN}",
        "- remove thing old",
    ]


def test_what_stays_is_counted() -> None:
    assert list(plan_lines(plan(plain="new", hidden="s3cret"))) == ["= unchanged: 2 things"]


def test_secrets_are_masked_unless_asked_for() -> None:
    changing = plan(hidden="before1")
    assert "s3cret" not in "\n".join(plan_lines(changing)) + json.dumps(plan_json(changing))
    assert "before1" not in "\n".join(plan_lines(changing)) + json.dumps(plan_json(changing))
    assert "value: before1 → s3cret" in "\n".join(plan_lines(changing, show_values=True))
    assert "s3cret" in json.dumps(plan_json(changing, show_values=True))


def test_that_a_secret_comes_or_goes_is_no_secret() -> None:
    assert lines_of(Change(field="v", new="s3cret", secret=True)) == [f"v: {HIDDEN}"]
    assert lines_of(Change(field="v", old="s3cret", secret=True)) == [f"v: {HIDDEN} → none"]
    (action,) = plan_json(Plan(actions=plan(hidden="old").actions[1:]))
    assert action["changes"] == [{"field": "value", "old": HIDDEN, "new": HIDDEN}]


def test_lists_are_shown_by_what_comes_and_goes() -> None:
    assert lines_of(Change(field="layers", old=["a", "b"], new=["b", "c"])) == ["layers:", "- a", "+ c"]
    assert lines_of(Change(field="layers", old=["a", "b"], new=["b", "a"])) == ["layers:", "in this order: b, a"]
    assert lines_of(Change(field="layers", old=["a"], new=None)) == ["layers:", "- a"]


def test_machines_get_every_action() -> None:
    actions = plan_json(plan(plain="new", old="x"))
    assert [(action["action"], action["kind"], action["name"]) for action in actions] == [
        ("keep", "thing", "plain"),
        ("create", "thing", "hidden"),
        ("remove", "thing", "old"),
    ]


def test_outcomes_are_shown_by_function() -> None:
    functions = [{"function": "hello", "name": "test-hello", "arn": "arn:x", "version": "3"}]
    assert list(outcome_lines(functions)) == ["test-hello  arn:x", "    version: 3"]
