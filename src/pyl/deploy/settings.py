"""The settings of a function as Lambda has them: compared with what is wanted, and as arguments of its API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pyl.deploy.plan import Change
from pyl.deploy.target import Target

Configuration = Mapping[str, Any]
"""What Lambda tells of a function (`GetFunctionConfiguration`)."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One setting: where Lambda keeps it."""

    name: str
    """As `[tool.pyl]` calls it."""
    read: Callable[[Configuration], Any]
    arguments: Callable[[Any, Configuration], dict[str, Any]]
    """A wanted value as arguments of `CreateFunction` and `UpdateFunctionConfiguration`, given what is there."""
    reported_in: str | None = None
    """The part of the answer that is missing where Lambda does not know the setting, so that nothing can differ."""

    def differs(self, value: Any, present: Configuration | None) -> bool:
        """Whether a function with this configuration (`None`: a new one) lacks the wanted value."""
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
    """The format without touching the group; levels exist for JSON only."""
    kept = dict(present.get("LoggingConfig") or {})
    if value == "Text":
        kept = {key: kept[key] for key in kept if key == "LogGroup"}
    return {"LoggingConfig": kept | {"LogFormat": value}}


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
"""All that are set by one call, besides the environment; code and architecture go by another one."""


@dataclass(frozen=True, kw_only=True)
class DesiredSettings:
    """The settings of one function that are to be; those that are `None` are left as they are."""

    runtime: Callable[[str | None], str]
    """The runtime for a function that has this one, or that is not there."""
    fixed: Mapping[str, Any]
    """The other values, by the name of the `Setting`."""
    environment: Mapping[str, str]
    replaces_environment: bool

    def values(self, present: Configuration | None) -> dict[str, Any]:
        """Every wanted value, for a function with this configuration."""
        return {**self.fixed, "runtime": self.runtime((present or {}).get("Runtime"))}

    def changes(self, present: Configuration | None) -> list[Change]:
        """What differs, setting by setting and variable by variable."""
        configuration, values = present or {}, self.values(present)
        found = []
        for setting in SETTINGS:
            value = values.get(setting.name)
            if setting.differs(value, present):
                old = setting.read(configuration) if present is not None else None
                found.append(Change(field=setting.name, old=_displayable(old), new=_displayable(value)))
        old_variables, variables = _variables(configuration), self._variables(configuration)
        for name in sorted(old_variables | variables):
            old, new = old_variables.get(name), variables.get(name)
            if old != new:
                found.append(Change(field=f"environment.{name}", old=old, new=new, secret=True))
        return found

    def arguments(self, present: Configuration | None) -> dict[str, Any]:
        """Arguments for what differs (for a function that is not there: for all)."""
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
        kept = {} if self.replaces_environment else _variables(configuration)
        return {**kept, **self.environment}


def desired_settings(target: Target, *, runtime: Callable[[str | None], str], role: str) -> DesiredSettings:
    """What configuration asks for."""
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
            "handler": f"functions.{function.name}",
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
"""What a new function has anyway."""


def _variables(configuration: Configuration) -> dict[str, str]:
    return dict((configuration.get("Environment") or {}).get("Variables") or {})


def _displayable(value: Any) -> Any:
    """Tuples as lists, as TOML has them; an absent VPC and empty lists as nothing."""
    if isinstance(value, Mapping):
        return {key: list(inner) for key, inner in value.items()} if any(value.values()) else None
    return list(value) if isinstance(value, tuple) else value
