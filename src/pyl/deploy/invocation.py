"""Reserved concurrency and asynchronous invocation of functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pyl.deploy.aws import AWS, error_code, none_if_absent, retry
from pyl.deploy.plan import Change, Reference, Resource
from pyl.deploy.target import Target
from pyl.progress import Progress

_POLICY_SECONDS = 60.0
"""How long Lambda may not see that the role may send to a destination."""


@dataclass(frozen=True, kw_only=True)
class ConcurrencyResource(Resource[int]):
    """Concurrency that is reserved for a function."""

    kind: ClassVar[str] = "reserved concurrency"

    target: Target

    @property
    def name(self) -> str:
        """Name of the function."""
        return self.target.name

    @property
    def dependencies(self) -> tuple[Reference, ...]:
        """The function."""
        return (self.target.reference,)

    def read(self, aws: AWS) -> int | None:
        """Return the reserved concurrency, if any."""
        client = aws.client("lambda")
        answer = none_if_absent(lambda: client.get_function_concurrency(FunctionName=self.name))
        number: int | None = (answer or {}).get("ReservedConcurrentExecutions")
        return number

    def changes(self, state: int | None) -> Sequence[Change]:
        """Return the change of the number."""
        new = self.target.settings.reserved_concurrency
        return (Change(field="reserved_concurrency", old=state, new=new),) if new != state else ()

    def apply(self, aws: AWS, state: int | None, progress: Progress) -> None:  # noqa: ARG002
        """Reserve the concurrency."""
        aws.client("lambda").put_function_concurrency(
            FunctionName=self.name, ReservedConcurrentExecutions=self.target.settings.reserved_concurrency
        )

    def remove(self, aws: AWS, state: int) -> None:  # noqa: ARG002
        """Remove the reservation."""
        none_if_absent(lambda: aws.client("lambda").delete_function_concurrency(FunctionName=self.name))


@dataclass(frozen=True, kw_only=True)
class AsynchronousResource(Resource[Mapping[str, Any]]):
    """Retries, maximum age and destinations of asynchronous invocations."""

    kind: ClassVar[str] = "asynchronous invocation"

    target: Target

    @property
    def name(self) -> str:
        """Name of the function, with its alias."""
        return self.target.invoked.name

    @property
    def dependencies(self) -> tuple[Reference, ...]:
        """The function or its alias."""
        return (self.target.invoked,)

    @property
    def _function(self) -> dict[str, str]:
        return {"FunctionName": self.target.name, **self.target.qualification}

    def read(self, aws: AWS) -> Mapping[str, Any] | None:
        """Return the configuration, if any."""
        client = aws.client("lambda")
        configuration: Mapping[str, Any] | None = none_if_absent(
            lambda: client.get_function_event_invoke_config(**self._function)
        )
        return configuration

    def changes(self, state: Mapping[str, Any] | None) -> Sequence[Change]:
        """Return changes of retries, age and destinations."""
        present = _values(state or {})
        return [
            Change(field=key, old=present[key], new=value)
            for key, value in self._desired().items()
            if present[key] != value
        ]

    def apply(self, aws: AWS, state: Mapping[str, Any] | None, progress: Progress) -> None:  # noqa: ARG002
        """Write the whole configuration, with the present values of settings that are not configured."""
        values = {**_values(state or {}), **self._desired()}
        destinations = {
            end: {"Destination": values[key]}
            for end, key in (("OnSuccess", "on_success"), ("OnFailure", "on_failure"))
            if values[key]
        }
        arguments: dict[str, Any] = {"DestinationConfig": destinations} if destinations else {}
        if values["retries"] is not None:
            arguments["MaximumRetryAttempts"] = values["retries"]
        if values["event_age"] is not None:
            arguments["MaximumEventAgeInSeconds"] = values["event_age"]
        client = aws.client("lambda")
        retry(
            aws,
            lambda: client.put_function_event_invoke_config(**self._function, **arguments),
            _is_policy_propagating,
            seconds=0.0 if self.target.settings.role else _POLICY_SECONDS,
        )

    def remove(self, aws: AWS, state: Mapping[str, Any]) -> None:  # noqa: ARG002
        """Restore Lambda's defaults."""
        none_if_absent(lambda: aws.client("lambda").delete_function_event_invoke_config(**self._function))

    def _desired(self) -> dict[str, Any]:
        settings = self.target.settings
        desired = {
            "retries": settings.retries,
            "event_age": settings.event_age,
            "on_success": settings.on_success,
            "on_failure": settings.on_failure,
        }
        return {key: value for key, value in desired.items() if value is not None}


def is_asynchronous_configured(target: Target) -> bool:
    """Whether the configuration has a setting for asynchronous invocations."""
    settings = target.settings
    return any(
        value is not None for value in (settings.retries, settings.event_age, settings.on_success, settings.on_failure)
    )


def _values(configuration: Mapping[str, Any]) -> dict[str, Any]:
    destinations = configuration.get("DestinationConfig") or {}
    return {
        "retries": configuration.get("MaximumRetryAttempts"),
        "event_age": configuration.get("MaximumEventAgeInSeconds"),
        "on_success": (destinations.get("OnSuccess") or {}).get("Destination"),
        "on_failure": (destinations.get("OnFailure") or {}).get("Destination"),
    }


def _is_policy_propagating(error: Exception) -> bool:
    return error_code(error) == "InvalidParameterValueException" and "permissions" in str(error)
