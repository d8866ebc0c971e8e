"""What only deployment reads: inherited from the project, checked one by one and together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from pyl.project.config.configuration import read_configuration
from pyl.project.config.deployment import Allowed, DeploymentConfiguration
from pyl.project.config.keys import Key
from pyl.project.config.model import Configuration
from pyl.project.config.pyproject import Document, read_document
from pyl.project.config.tables import FUNCTION_DEPLOYMENT_KEYS, PROJECT_DEPLOYMENT_KEYS, SHARED_DEPLOYMENT_KEYS
from pyl.project.diagnostics import Code, Diagnostic

ROLE = "arn:aws:iam::123456789012:role/given"
NEEDED = {
    "subnets": 'security_groups = ["sg-1"]',
    "security_groups": 'subnets = ["subnet-1"]',
    "url_mode": 'url = "iam"',
    "url_origins": 'url = "iam"',
}
"""What a key is refused without."""


def read(folder: Path, text: str, environ: Mapping[str, str] | None = None) -> tuple[Configuration, list[Diagnostic]]:
    (folder / "pyproject.toml").write_text(dedent(text), "utf-8")
    document = read_document(folder)
    assert isinstance(document, Document), document
    return read_configuration(document, environ=environ or {}, overrides={})


def values(folder: Path, text: str, environ: Mapping[str, str] | None = None) -> Configuration:
    configuration, problems = read(folder, text, environ)
    assert problems == []
    return configuration


@pytest.mark.parametrize("key", [*PROJECT_DEPLOYMENT_KEYS, *SHARED_DEPLOYMENT_KEYS])
def test_the_example_of_every_key_of_the_project_is_right(tmp_path: Path, key: Key) -> None:
    values(tmp_path, f"[tool.pyl]\n{key.name} = {key.example}\n{NEEDED.get(key.name, '')}\n")


@pytest.mark.parametrize("key", [*SHARED_DEPLOYMENT_KEYS, *FUNCTION_DEPLOYMENT_KEYS])
def test_the_example_of_every_key_of_functions_arrives(tmp_path: Path, key: Key) -> None:
    text = f"[tool.pyl.functions.a]\n{key.name} = {key.example}\n{NEEDED.get(key.name, '')}\n"
    found = values(tmp_path, text).functions["a"].deployment
    assert getattr(found, key.name) != getattr(DeploymentConfiguration(), key.name)


def test_functions_have_what_the_project_has_unless_they_say_otherwise(tmp_path: Path) -> None:
    configuration = values(
        tmp_path,
        """
        [tool.pyl]
        log_retention = 30
        tracing = "Active"
        tags = { team = "shop", stage = "test" }
        [tool.pyl.functions.a]
        log_retention = 7
        tags = { stage = "prod" }
        [tool.pyl.functions.b]
        allow = [{ actions = ["s3:GetObject"], resources = ["*"] }]
        """,
    )
    a, b = (configuration.functions[name].deployment for name in "ab")
    assert (a.log_retention, b.log_retention, a.tracing, b.tracing) == (7, 30, "Active", "Active")
    assert (a.tags, b.tags) == ({"team": "shop", "stage": "prod"}, {"team": "shop", "stage": "test"})
    assert b.allow == (Allowed(actions=("s3:GetObject",), resources=("*",)),)
    assert configuration.defaults.deployment.log_retention == 30


def test_variables_hold_for_every_function(tmp_path: Path) -> None:
    text = f"[tool.pyl.functions.a]\nrole = '{ROLE}'\narchitecture = 'arm64'\n"
    other = ROLE.replace("given", "other")
    configuration = values(tmp_path, text, {"PYL_ROLE": other, "PYL_ARCHITECTURE": "x86_64", "PYL_PREFIX": "test-"})
    deployment = configuration.functions["a"].deployment
    assert (deployment.role, deployment.architecture, configuration.prefix) == (other, "x86_64", "test-")


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ("log_retention = 8", Code.VALUE_RANGE),
        ("log_retention = '8'", Code.VALUE_TYPE),
        ("log_format = 'json'", Code.VALUE_RANGE),
        ("layers = ['arn:aws:lambda:eu-central-1:123456789012:layer:tables']", Code.VALUE_RANGE),
        (f"layers = {['arn:aws:lambda:eu-central-1:123456789012:layer:x:1'] * 6}", Code.VALUE_RANGE),
        ("tags = { 'aws:x' = 'y' }", Code.VALUE_RANGE),
        ("tags = { 'pyl:project' = 'y' }", Code.VALUE_RANGE),
        ("tags = { x = 1 }", Code.VALUE_TYPE),
        ("tags = { x = '*' }", Code.VALUE_RANGE),
        ("tags = 'x'", Code.VALUE_TYPE),
        ("publish = 'yes'", Code.VALUE_TYPE),
        ("alias = '12'", Code.VALUE_RANGE),
        ("alias = '$LATEST'", Code.VALUE_RANGE),
        ("role = 'orders'", Code.VALUE_RANGE),
        ("subnets = ['subnet-1']", Code.VALUE_RANGE),
        ("security_groups = ['sg-1']", Code.VALUE_RANGE),
        ("functions.a.runtime = 'python2.7'", Code.VALUE_RANGE),
        ("functions.a.reserved_concurrency = -2", Code.VALUE_RANGE),
        ("functions.a.url_mode = 'BUFFERED'", Code.VALUE_RANGE),
        ("functions.a.allow = [{ actions = ['s3:GetObject'] }]", Code.VALUE_RANGE),
        ("functions.a.allow = [{ actions = ['GetObject'], resources = ['*'] }]", Code.VALUE_RANGE),
        ("functions.a.allow = [{ actions = [], resources = ['*'] }]", Code.VALUE_RANGE),
        ("functions.a.allow = ['s3:GetObject']", Code.VALUE_RANGE),
        (f"functions.a = {{ role = '{ROLE}', allow = [{{ actions = ['*'], resources = ['*'] }}] }}", Code.VALUE_RANGE),
        (
            "functions.a = { runtime = 'provided.al2', layers = ['arn:aws:lambda:us-east-1:123456789012:layer:x:1'] }",
            Code.VALUE_RANGE,
        ),
    ],
)
def test_a_wrong_value_is_told_at_its_line(tmp_path: Path, entry: str, code: Code) -> None:
    _, (found,) = read(tmp_path, f"[tool.pyl]\n# a comment\n{entry}\n")
    assert (found.code, found.file, found.line) == (code, tmp_path / "pyproject.toml", 3)
    assert found.hint


def test_the_nearest_retention_is_offered(tmp_path: Path) -> None:
    _, (found,) = read(tmp_path, "[tool.pyl]\nlog_retention = 100\n")
    assert found.hint == "the nearest possible value is 90"


def test_the_value_of_a_wrong_tag_is_not_repeated(tmp_path: Path) -> None:
    _, (found,) = read(tmp_path, "[tool.pyl]\ntags = { x = 'secret*' }\n")
    assert "secret" not in found.message + found.hint


def many_tags(number: int) -> str:
    return "\n".join(f"tags.t{index} = 'x'" for index in range(number))


@pytest.mark.parametrize(
    "entry",
    [
        many_tags(48),
        f"tags = {{ {'n' * 128} = '{'v' * 256}' }}",
        "tags = { awsome = 'x', pylon = '' }",
        f"layers = {['arn:aws:lambda:eu-central-1:123456789012:layer:x:1'] * 5}",
        "subnets = []",
        "subnets = ['subnet-1']\nsecurity_groups = ['sg-1']",
        "log_retention = 1",
        "alias = '1a'",
        f"role = '{ROLE}'\n[tool.pyl.functions.a]\nallow = [{{ actions = ['*'], resources = ['*'] }}]",
        f"functions.a = {{ runtime = 'python3.12', layers = ['arn:aws:lambda:us-east-1:{'1' * 12}:layer:x:1'] }}",
        "functions.a = { url = 'public', url_mode = 'BUFFERED', url_origins = ['*'] }",
        "functions.a.reserved_concurrency = -1",
    ],
)
def test_values_up_to_the_limits_are_accepted(tmp_path: Path, entry: str) -> None:
    values(tmp_path, f"[tool.pyl]\n{entry}\n")


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (many_tags(49), "there are 49 tags"),
        (f"tags = {{ {'n' * 129} = 'x' }}", "AWS refuses the tag"),
        (f"tags = {{ n = '{'v' * 257}' }}", "AWS refuses the tag"),
        ("tags = { 'AWS:x' = 'y' }", "is reserved"),
        (f"role = '{ROLE}'\npolicies = ['arn:aws:iam::aws:policy/x']", "pyl does not change"),
        ("functions.a = { url = 'off', url_origins = ['*'] }", "without a function URL"),
        ("functions.a.url_origins = ['*']", "without a function URL"),
        ("functions.a = { allow = [{ actions = 's3:*', resources = ['*'] }] }", "whose `actions` is not a list"),
        ("functions.a = { allow = [{ actions = ['*'], resources = [1] }] }", "whose `resources` hold 1"),
        ("log_retention = 3654", "Lambda accepts 1 to 3,653"),
    ],
)
def test_values_beyond_the_limits_are_refused(tmp_path: Path, entry: str, message: str) -> None:
    _, (diagnostic,) = read(tmp_path, f"[tool.pyl]\n{entry}\n")
    assert message in diagnostic.message
