"""Plans contain the differences in order of dependencies, and stop at the first failure."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from pyl.deploy.plan import Stopped, Verb, apply_plan, make_plan, sort_by_dependency
from pyl.progress import Silent
from unit.deploy.resources import Thing, aws, refuse


def things(world: dict[str, str], journal: list[str], **more: Any) -> list[Thing]:
    """c needs b, b needs a."""
    return [
        Thing(world=world, journal=journal, called="c", value="3", after=("b",), **more.get("c", {})),
        Thing(world=world, journal=journal, called="a", value="1", **more.get("a", {})),
        Thing(world=world, journal=journal, called="b", value="2", after=("a",), **more.get("b", {})),
    ]


def test_dependencies_come_first() -> None:
    assert [thing.name for thing in sort_by_dependency(things({}, []))] == ["a", "b", "c"]


def test_dependencies_outside_of_the_plan_are_assumed_to_exist() -> None:
    assert sort_by_dependency([Thing(world={}, called="a", value="1", after=("elsewhere",))])


def test_two_resources_with_one_name_are_a_programming_error() -> None:
    with pytest.raises(ValueError, match="thing a"):
        sort_by_dependency([Thing(world={}, called="a", value="1"), Thing(world={}, called="a", value="2")])


def test_only_what_differs_is_done() -> None:
    world, journal = {"a": "1", "b": "old"}, list[str]()
    plan = make_plan(aws(), things(world, journal))
    assert [(action.resource.name, action.verb) for action in plan.actions] == [
        ("a", Verb.KEEP),
        ("b", Verb.UPDATE),
        ("c", Verb.CREATE),
    ]
    assert journal == []
    apply_plan(aws(), plan, Silent())
    assert journal == ["apply b", "apply c"]
    assert make_plan(aws(), things(world, journal)).pending == ()


def test_deletions_come_last_in_reverse_order() -> None:
    world, journal = {"a": "1", "b": "2", "c": "3"}, list[str]()
    desired = [Thing(world=world, journal=journal, called="d", value="4")]
    apply_plan(aws(), make_plan(aws(), desired, things(world, journal)), Silent())
    assert journal == ["apply d", "remove c", "remove b", "remove a"]
    assert world == {"d": "4"}


def test_deleting_an_absent_resource_is_no_action() -> None:
    assert make_plan(aws(), [], things({}, [])).actions == ()


def test_a_failure_stops_the_plan_and_the_next_one_continues() -> None:
    world, journal = dict[str, str](), list[str]()
    plan = make_plan(aws(), things(world, journal, b={"fails": refuse}))
    with pytest.raises(Stopped) as caught:
        apply_plan(aws(), plan, Silent())
    assert caught.value.message == "cannot go on\ndone: create thing a; not started: create thing c"
    assert caught.value.hint == "run the command again to continue"
    assert [str(action) for action in caught.value.done] == ["create thing a"]
    assert [str(action) for action in caught.value.remaining] == ["create thing b", "create thing c"]
    apply_plan(aws(), make_plan(aws(), things(world, journal)), Silent())
    assert journal == ["apply a", "apply b", "apply c"]


def test_an_interruption_says_how_far_it_came() -> None:
    class Notes(Silent):
        def __init__(self) -> None:
            self.notes: list[str] = []

        def note(self, text: str) -> None:
            self.notes.append(text)

    def interrupt() -> None:
        raise KeyboardInterrupt

    world, notes = dict[str, str](), Notes()
    with pytest.raises(KeyboardInterrupt):
        apply_plan(aws(), make_plan(aws(), things(world, [], b={"fails": interrupt})), notes)
    (note,) = notes.notes
    assert note.startswith("stopped at: create thing b. done: create thing a; not started: create thing c")


def test_each_thing_that_is_done_is_a_step_of_its_own() -> None:
    class Steps(Silent):
        def __init__(self) -> None:
            self.titles: list[str] = []

        @contextmanager
        def step(self, title: str) -> Iterator[None]:
            self.titles.append(title)
            yield

    steps = Steps()
    apply_plan(aws(), make_plan(aws(), things({"a": "1"}, [])), steps)
    assert steps.titles == ["Create thing b", "Create thing c"]
