"""Guards in words, and what they hold for the launcher."""

from __future__ import annotations

import pytest

from pyl.image.file import guards, structures
from pyl.image.file.guards import Guard


@pytest.mark.parametrize(
    ("guard", "condition"),
    [
        (guards.environment_guard("TABLE", "orders"), "TABLE has the build's value"),
        (guards.environment_guard("TABLE", None), "TABLE is not set"),
        (guards.present_guard("TABLE"), "TABLE is set"),
        (guards.path_guard("/opt/config.json", exists=False), "/opt/config.json does not exist"),
        (guards.path_guard("/opt/config.json", exists=True), "/opt/config.json exists"),
        (guards.user_guard(993, 990), "the user and group are 993:990"),
        (guards.processors_guard(2), "the number of processors is 2"),
    ],
)
def test_a_guard_says_its_condition_in_words(guard: Guard, condition: str) -> None:
    assert guard.described() == {"name": guard.name, "condition": condition}


def test_a_value_of_a_variable_is_never_in_the_words() -> None:
    assert "orders" not in str(guards.environment_guard("TABLE", "orders").described())


def test_every_kind_has_its_number_and_its_words() -> None:
    kinds = [value for name, value in vars(structures).items() if name.startswith("GUARD_")]
    assert sorted(kinds) == list(range(1, len(kinds) + 1))
    assert all(Guard(kind, "NAME").described() for kind in kinds)
