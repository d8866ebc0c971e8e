"""Documentation and the editors' schema come from the declared keys, and agree with what is read."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft7Validator

from pyl.project.config import tables
from pyl.project.config.checks import find_problem
from pyl.project.config.deployment import DeploymentConfiguration, ProjectDeployment
from pyl.project.config.keys import Key, Kind, keys_of
from pyl.project.config.model import BenchVariant, FunctionDefaults, NativeConfiguration
from pyl.project.config.reference import PAGES, SCHEMA, json_schema, markdown_table, update_page
from pyl.project.config.triggers import TRIGGERS

DOCUMENTATION = Path(__file__).parents[3] / "docs"
PROJECTS = Path(__file__).parent.parent / "projects"
UPDATE = "run `python -m pyl.project.config.reference`"
EVERY_KEY = (
    *tables.PROJECT_KEYS,
    *tables.NATIVE_KEYS,
    *tables.FUNCTION_KEYS,
    *tables.BENCH_KEYS,
    *(key for keys in tables.TRIGGER_KEYS.values() for key in keys),
)


def is_valid(text: str) -> bool:
    return bool(Draft7Validator(json_schema()).is_valid(tomllib.loads(text)))


@pytest.mark.parametrize("page", PAGES)
def test_the_tables_of_the_documentation_are_current(page: str) -> None:
    text = (DOCUMENTATION / page).read_text("utf-8")
    assert update_page(text) == text, UPDATE


def test_the_documentation_has_a_table_of_every_key() -> None:
    text = "".join((DOCUMENTATION / page).read_text("utf-8") for page in PAGES)
    documented = set(re.findall(r"^\| `([a-z0-9_]+)` \|", text, re.MULTILINE))
    assert documented == {key.name for key in EVERY_KEY}


def test_the_schema_of_the_documentation_is_current() -> None:
    assert json.loads((DOCUMENTATION / SCHEMA).read_text("utf-8")) == json_schema(), UPDATE


def test_the_schema_is_one() -> None:
    Draft7Validator.check_schema(json_schema())


@pytest.mark.parametrize(
    "struct",
    [
        ProjectDeployment,
        DeploymentConfiguration,
        FunctionDefaults,
        NativeConfiguration,
        BenchVariant,
        *TRIGGERS.values(),
    ],
)
def test_every_declaration_is_one_that_msgspec_understands(struct: type[msgspec.Struct]) -> None:
    msgspec.inspect.type_info(struct)


@pytest.mark.parametrize("key", EVERY_KEY, ids=lambda key: key.name)
def test_every_key_has_an_example_that_is_valid(key: Key) -> None:
    value = tomllib.loads(f"value = {key.example}")["value"]
    assert find_problem(key, value) is None
    assert value == key.example_value


@pytest.mark.parametrize("key", [key for key in EVERY_KEY if key.kind is Kind.INTEGER], ids=lambda key: key.name)
def test_every_integer_has_bounds_that_are_included(key: Key) -> None:
    assert key.minimum is not None
    assert key.maximum is not None
    assert [find_problem(key, bound) for bound in (key.minimum, key.maximum)] == [None, None]
    assert all(find_problem(key, beyond) for beyond in (key.minimum - 1, key.maximum + 1))


def test_keys_of_bases_come_after_those_of_the_class() -> None:
    names = [key.name for key in keys_of(TRIGGERS["dynamodb"])]
    assert names[:3] == ["table", "starting_position", "batch_size"]


def test_a_table_shows_what_a_key_takes_its_default_and_its_variable() -> None:
    (memory,) = (key for key in tables.PROJECT_KEYS if key.name == "memory")
    assert (
        markdown_table([memory]).splitlines()[2] == "| `memory` | 128 to 10240 | `512` | `PYL_MEMORY` | Memory in MB. |"
    )


@pytest.mark.parametrize("page", PAGES)
def test_the_schema_accepts_the_examples_of_the_documentation(page: str) -> None:
    texts = re.findall(r"^```toml\n(\[.*?)^```", (DOCUMENTATION / page).read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert texts
    assert [text for text in texts if not is_valid(text)] == []


@pytest.mark.parametrize("folder", sorted(Path(__file__).parents[3].glob("examples/*/pyproject.toml")), ids=str)
def test_the_schema_accepts_the_example_projects(folder: Path) -> None:
    assert is_valid(folder.read_text("utf-8"))


@pytest.mark.parametrize("code", ["PYL304", "PYL305", "PYL306", "PYL312"])
def test_the_schema_refuses_what_check_refuses_of_single_values(code: str) -> None:
    (folder,) = PROJECTS.glob(f"{code}-*")
    assert not is_valid((folder / "pyproject.toml").read_text("utf-8"))


@pytest.mark.parametrize("key", tables.PROJECT_KEYS, ids=lambda key: key.name)
@pytest.mark.parametrize("value", [0, -1, 1.5, True, "", "no such", "/", [], [1], [""], {}, {"a": 1}, {"AB": "x"}])
def test_the_schema_agrees_with_the_checks(key: Key, value: Any) -> None:
    document = {"tool": {"pyl": {key.name: value}}}
    assert Draft7Validator(json_schema()).is_valid(document) is (find_problem(key, value) is None)
