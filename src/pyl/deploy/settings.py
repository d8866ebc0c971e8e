"""Settings of functions: compared with those in Lambda, and converted to arguments of its API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pyl.deploy.plan import Change
from pyl.deploy.target import Target

Configuration = Mapping[str, Any]
"""Answer of `GetFunctionConfiguration`."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Where Lambda keeps one setting."""

    name: str
    """Name in `[tool.pyl]`."""
    read: Callable[[Configuration], Any]
    arguments: Callable[[Any, Configuration], dict[str, Any]]
    """Converts the desired value and the present configuration to arguments of Lambda's API."""
    reported_in: str | None = None
    """Key that is missing in answers of a Lambda that does not support the setting. It is not compared then."""

    def differs(self, value: Any, present: Configuration | None) -> bool:
        """Whether a function's configuration (`None` for a new function) differs from the desired value."""
        if value is None:
            return False
        if present is None:
            return bool(value != _NEW_FUNCTION_VALUES.get(self.name))
        return (self.reported_in is None or self.reported_in in present) and bool(value != self.read(present))


def _plain(name: str, argument: str) -> Setting:
    return Setting(
        name=name,
        read=lambda configuration: configuration.get(argument),
        arguments=lambda value, _: {argument: value},
    )


def _nested(name: str, argument: str, inner: str) -> Setting:
    return Setting(
        name=name,
        read=lambda configuration: (configuration.get(argument) or {}).get(inner),
        arguments=lambda value, _: {argument: {inner: value}},
    )


def _log_format(value: str, present: Configuration) -> dict[str, Any]:
    """Change the format but keep the log group. Log levels are for JSON only."""
    logging = dict(present.get("LoggingConfig") or {})
    if value == "Text":
        logging = {key: logging[key] for key in logging if key == "LogGroup"}
    return {"LoggingConfig": logging | {"LogFormat": value}}


def _vpc(configuration: Configuration) -> dict[str, tuple[str, ...]]:
    present = configuration.get("VpcConfig") or {}
    return {
        "subnets": tuple(sorted(present.get("SubnetIds") or ())),
        "security_groups": tuple(sorted(present.get("SecurityGroupIds") or ())),
    }


def _vpc_arguments(value: Mapping[str, tuple[str, ...]], _: Configuration) -> dict[str, Any]:
    return {"VpcConfig": {"SubnetIds": list(value["subnets"]), "SecurityGroupIds": list(value["security_groups"])}}


SETTINGS: tuple[Setting, ...] = (
    _plain("runtime", "Runtime"),
    _plain("handler", "Handler"),
    _plain("role", "Role"),
    _plain("description", "Description"),
    _plain("memory", "MemorySize"),
    _plain("timeout", "Timeout"),
    _nested("tracing", "TracingConfig", "Mode"),
    _nested("ephemeral_storage", "EphemeralStorage", "Size"),
    Setting(
        name="layers",
        read=lambda configuration: tuple(layer["Arn"] for layer in configuration.get("Layers") or ()),
        arguments=lambda value, _: {"Layers": list(value)},
    ),
    Setting(
        name="log_format",
        read=lambda configuration: (configuration.get("LoggingConfig") or {}).get("LogFormat"),
        arguments=_log_format,
        reported_in="LoggingConfig",
    ),
    Setting(name="vpc", read=_vpc, arguments=_vpc_arguments),
)
"""All settings that one call updates, except the environment. Code and architecture need another call."""


@dataclass(frozen=True, kw_only=True)
class DesiredSettings:
    """The desired settings of one function. Settings that are `None` are left unchanged."""

    runtime: Callable[[str | None], str]
    """Returns the runtime for a function, given its present one (`None` for a new function)."""
    fixed: Mapping[str, Any]
    """The other values by name of the `Setting`."""
    environment: Mapping[str, str]
    replaces_environment: bool

    def values(self, present: Configuration | None) -> dict[str, Any]:
        """Return all desired values for a function with this configuration."""
        return {**self.fixed, "runtime": self.runtime((present or {}).get("Runtime"))}

    def changes(self, present: Configuration | None) -> list[Change]:
        """Return the differences by setting and environment variable."""
        configuration, values = present or {}, self.values(present)
        changes = []
        for setting in SETTINGS:
            value = values.get(setting.name)
            if setting.differs(value, present):
                old = setting.read(configuration) if present is not None else None
                changes.append(Change(field=setting.name, old=_displayable(old), new=_displayable(value)))
        old_variables, variables = _variables(configuration), self._variables(configuration)
        for name in sorted(old_variables | variables):
            old, new = old_variables.get(name), variables.get(name)
            if old != new:
                changes.append(Change(field=f"environment.{name}", old=old, new=new, secret=True))
        return changes

    def arguments(self, present: Configuration | None) -> dict[str, Any]:
        """Return arguments for settings that differ; for a new function, for all."""
        configuration, values = present or {}, self.values(present)
        arguments: dict[str, Any] = {}
        for setting in SETTINGS:
            value = values.get(setting.name)
            if setting.differs(value, present):
                arguments |= setting.arguments(value, configuration)
        variables = self._variables(configuration)
        if variables != _variables(configuration):
            arguments["Environment"] = {"Variables": variables}
        return arguments

    def _variables(self, configuration: Configuration) -> dict[str, str]:
        present = {} if self.replaces_environment else _variables(configuration)
        return {**present, **self.environment}


def desired_settings(target: Target, *, runtime: Callable[[str | None], str], role: str) -> DesiredSettings:
    """Return the settings that the configuration asks for.

    Args:
        target: The function.
        runtime: Returns the runtime, given the function's present one (`None` for a new function).
        role: ARN of the execution role.
    """
    function, settings = target.function, target.settings
    vpc = None
    if settings.subnets is not None:
        vpc = {
            "subnets": tuple(sorted(settings.subnets)),
            "security_groups": tuple(sorted(settings.security_groups or ())),
        }
    return DesiredSettings(
        runtime=runtime,
        fixed={
            "handler": target.handler,
            "role": role,
            "description": function.description,
            "memory": function.configuration.memory,
            "timeout": function.configuration.timeout,
            "tracing": settings.tracing,
            "ephemeral_storage": settings.ephemeral_storage,
            "layers": settings.layers,
            "log_format": settings.log_format,
            "vpc": vpc,
        },
        environment=function.configuration.environment,
        replaces_environment=settings.environment_mode == "replace",
    )


_NEW_FUNCTION_VALUES: Mapping[str, Any] = {"layers": (), "vpc": {"subnets": (), "security_groups": ()}}
"""Values that a new function has by default."""


def _variables(configuration: Configuration) -> dict[str, str]:
    return dict((configuration.get("Environment") or {}).get("Variables") or {})


def _displayable(value: Any) -> Any:
    """Convert tuples to lists, as in TOML; an absent VPC and empty lists to `None`."""
    if isinstance(value, Mapping):
        return {key: list(inner) for key, inner in value.items()} if any(value.values()) else None
    return list(value) if isinstance(value, tuple) else value
