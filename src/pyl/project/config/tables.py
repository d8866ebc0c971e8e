"""The tables of `[tool.pyl]` and the keys of each."""

from __future__ import annotations

from collections.abc import Mapping

from pyl.project.config.deployment import DeploymentConfiguration, ProjectDeployment, SharedDeployment
from pyl.project.config.keys import Key, Kind, keys_of, own_keys
from pyl.project.config.model import (
    BenchVariant,
    Configuration,
    FunctionConfiguration,
    FunctionDefaults,
    NativeConfiguration,
)
from pyl.project.config.triggers import TRIGGERS

PROJECT_OWN_KEYS = own_keys(Configuration)
FUNCTION_DEFAULT_KEYS = own_keys(FunctionDefaults)
FUNCTION_OWN_KEYS = own_keys(FunctionConfiguration)
PROJECT_DEPLOYMENT_KEYS = own_keys(ProjectDeployment)
SHARED_DEPLOYMENT_KEYS = own_keys(SharedDeployment)
FUNCTION_DEPLOYMENT_KEYS = own_keys(DeploymentConfiguration)

PROJECT_KEYS = (*PROJECT_OWN_KEYS, *FUNCTION_DEFAULT_KEYS, *PROJECT_DEPLOYMENT_KEYS, *SHARED_DEPLOYMENT_KEYS)
"""`[tool.pyl]`."""

NATIVE_KEYS = keys_of(NativeConfiguration)
"""`[tool.pyl.native]`."""

BUILD_KEYS = (*PROJECT_OWN_KEYS, *FUNCTION_DEFAULT_KEYS, *NATIVE_KEYS)
"""The keys whose variables and options matter to a build; the others are those of deployment."""

FUNCTION_KEYS = (*FUNCTION_DEFAULT_KEYS, *FUNCTION_OWN_KEYS, *SHARED_DEPLOYMENT_KEYS, *FUNCTION_DEPLOYMENT_KEYS)
"""`[tool.pyl.functions.<name>]`."""

INHERITED_KEYS = (*FUNCTION_DEFAULT_KEYS, *SHARED_DEPLOYMENT_KEYS)
"""Keys of `[tool.pyl]` that a function's own table can override."""

BENCH_KEYS = keys_of(BenchVariant)
"""`[tool.pyl.bench.<name>]`."""

TRIGGER_KEYS: Mapping[str, tuple[Key, ...]] = {kind: keys_of(trigger) for kind, trigger in TRIGGERS.items()}
"""`[[tool.pyl.functions.<name>.triggers]]`, by `type`, which is itself a key of all of them."""

TYPE_KEY = Key(
    name="type",
    kind=Kind.STRING,
    type=str,
    description="Type of the trigger.",
    example='"sqs"',
    example_value="sqs",
    default=None,
    required=True,
    choices=tuple(TRIGGERS),
)
"""The key that says which other keys a trigger has."""

_HOMES = {
    "[tool.pyl]": PROJECT_KEYS,
    "[tool.pyl.native]": NATIVE_KEYS,
    "[tool.pyl.functions.<name>]": FUNCTION_KEYS,
    "[tool.pyl.bench.<name>]": BENCH_KEYS,
}
_TRIGGER_KEY_NAMES = frozenset(key.name for keys in TRIGGER_KEYS.values() for key in keys)


def find_home(name: str) -> str | None:
    """Return the table that a key belongs to, or `None` if none or several have it."""
    homes = [table for table, keys in _HOMES.items() if name in {key.name for key in keys}]
    return homes[0] if len(homes) == 1 else None


def is_trigger_key(name: str) -> bool:
    """Return whether some type of trigger has a key of this name."""
    return name in _TRIGGER_KEY_NAMES
