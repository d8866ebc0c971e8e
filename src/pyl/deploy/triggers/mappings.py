"""Event source mappings, for queues and streams that Lambda polls.

https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyl.deploy.aws import AWS, error_code, none_if_absent, paginate, retry
from pyl.deploy.plan import Change
from pyl.deploy.target import Target
from pyl.deploy.triggers import sources
from pyl.deploy.triggers.base import Settings, TriggerResource, differences, invokes
from pyl.progress import Progress
from pyl.project.config.patterns import canonical_json
from pyl.project.config.triggers import BatchTrigger, DynamoDBTrigger, KinesisTrigger, SQSTrigger

_SECONDS = 120.0
"""How long to wait for a new role, for another update of the mapping, and for the update itself."""

_TRANSITIONAL_STATES = frozenset({"Creating", "Enabling", "Disabling", "Updating"})
_TEMPORARY_ERRORS = ("execution role does not have permissions", "cannot be assumed by Lambda")


@dataclass(frozen=True, kw_only=True)
class MappingState:
    """A mapping in AWS."""

    source: str
    """ARN of the source."""
    uuid: str = ""
    """Empty if there is no mapping."""
    arn: str = ""
    settings: Settings
    tags: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class MappingResource(TriggerResource[MappingState]):
    """The mapping from one source to one function."""

    trigger: BatchTrigger

    @property
    def desired(self) -> Settings:
        """Desired settings."""
        return {"invokes": self.target.invoked_arn, **mapping_settings(self.target, self.trigger)}

    def read(self, aws: AWS) -> MappingState | None:
        """Return the mapping from this source to this function, even one that others created: AWS allows only one.

        Raises:
            AWSError: The source does not exist, or the function cannot read it.
        """
        return self._find(aws, _source_arn(aws, self.target, self.trigger))

    def changes(self, state: MappingState | None) -> Sequence[Change]:
        """Return changes of settings and tags."""
        tags = state.tags if state else {}
        return [
            *differences(state.settings if state else {}, self.desired),
            *(
                Change(field=f"tags.{key}", old=tags.get(key), new=value)
                for key, value in self.target.owner.tags.items()
                if tags.get(key) != value
            ),
        ]

    def apply(self, aws: AWS, state: MappingState | None, progress: Progress) -> None:
        """Create or update the mapping, then wait until it is active."""
        if state is None:
            source = _source_arn(aws, self.target, self.trigger)
            state = self._create(aws, source)
        self._update(aws, state)
        _wait(aws, state.uuid, progress)

    def remove(self, aws: AWS, state: MappingState) -> None:
        """Delete the mapping."""
        delete_mapping(aws, state.uuid)

    def _find(self, aws: AWS, source: str) -> MappingState | None:
        mappings = paginate(
            aws.client("lambda"), "list_event_source_mappings", "EventSourceMappings", EventSourceArn=source
        )
        for mapping in mappings:
            if invokes(mapping["FunctionArn"], self.target) and mapping.get("State") != "Deleting":
                return mapping_state(aws, mapping)
        return None

    def _create(self, aws: AWS, source: str) -> MappingState:
        settings = {key: value for key, value in self.desired.items() if value != _DEFAULTS.get(key)}
        if not isinstance(self.trigger, SQSTrigger):
            settings["starting_position"] = self.trigger.starting_position
        arguments = _arguments(settings)

        def create() -> MappingState:
            client = aws.client("lambda")
            try:
                mapping = client.create_event_source_mapping(
                    EventSourceArn=source, Tags=self.target.owner.tags, **arguments
                )
            except Exception as error:
                # An earlier attempt whose answer was lost may have created it; or one is still being deleted.
                present = self._find(aws, source) if error_code(error) == "ResourceConflictException" else None
                if present is None:
                    raise
                return present
            return MappingState(
                source=source,
                uuid=mapping["UUID"],
                arn=mapping.get("EventSourceMappingArn", ""),
                settings=self.desired,
                tags=self.target.owner.tags,
            )

        return retry(aws, create, _is_temporary, seconds=_SECONDS)

    def _update(self, aws: AWS, state: MappingState) -> None:
        client = aws.client("lambda")
        changed = {change.field: change.new for change in differences(state.settings, self.desired)}
        if changed:
            arguments = _arguments(changed)
            retry(
                aws,
                lambda: client.update_event_source_mapping(UUID=state.uuid, **arguments),
                _is_temporary,
                seconds=_SECONDS,
            )
        missing_tags = {key: value for key, value in self.target.owner.tags.items() if state.tags.get(key) != value}
        if missing_tags:
            client.tag_resource(Resource=state.arn, Tags=missing_tags)


def find_source_arn(aws: AWS, target: Target, trigger: BatchTrigger) -> str:
    """Return the ARN of the source. For a table, AWS is asked for its stream."""
    if isinstance(trigger, DynamoDBTrigger):
        return sources.find_table_stream(aws, target, trigger)
    return sources.source_arn(target, trigger)


def mapping_settings(target: Target, trigger: BatchTrigger) -> dict[str, Any]:
    """Return the trigger's settings with defaults from the function's code."""
    partial = target.function.partial_batch if trigger.partial_batch is None else trigger.partial_batch
    settings: dict[str, Any] = {
        "batch_size": trigger.batch_size,
        "batch_window": trigger.batch_window,
        "partial_batch": partial,
        "filters": sorted(trigger.filters),
        "enabled": trigger.enabled,
    }
    if isinstance(trigger, SQSTrigger):
        return settings | {"maximum_concurrency": trigger.maximum_concurrency}
    return settings | {
        "parallelization": trigger.parallelization,
        "retries": trigger.retries,
        "maximum_age": trigger.maximum_age,
        "bisect": trigger.bisect,
        "on_failure": trigger.on_failure,
    }


def mapping_arguments(target: Target, trigger: BatchTrigger) -> dict[str, Any]:
    """Return settings that differ from AWS's defaults, as arguments of Lambda's API and of templates."""
    settings = {
        key: value for key, value in mapping_settings(target, trigger).items() if value != _DEFAULTS.get(key)
    } | {"batch_size": trigger.batch_size}
    if not isinstance(trigger, SQSTrigger):
        settings["starting_position"] = trigger.starting_position
    return _arguments(settings)


_DEFAULTS: Settings = {
    "batch_window": 0,
    "partial_batch": False,
    "filters": [],
    "enabled": True,
    "maximum_concurrency": None,
    "parallelization": 1,
    "retries": -1,
    "maximum_age": -1,
    "bisect": False,
    "on_failure": None,
}
"""Lambda's defaults for absent settings. The batch size is always given."""


def _source_arn(aws: AWS, target: Target, trigger: BatchTrigger) -> str:
    match trigger:
        case SQSTrigger():
            return sources.check_queue(aws, target, trigger)
        case DynamoDBTrigger():
            return sources.find_table_stream(aws, target, trigger)
        case KinesisTrigger():
            return sources.check_stream(aws, target, trigger)


def _arguments(settings: Settings) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    for key, value in settings.items():
        match key:
            case "filters":
                arguments["FilterCriteria"] = {"Filters": [{"Pattern": text} for text in value]} if value else {}
            case "partial_batch":
                arguments["FunctionResponseTypes"] = ["ReportBatchItemFailures"] if value else []
            case "maximum_concurrency":
                arguments["ScalingConfig"] = {"MaximumConcurrency": value} if value else {}
            case "on_failure":
                arguments["DestinationConfig"] = {"OnFailure": {"Destination": value or ""}}
            case _:
                arguments[_ARGUMENT_NAMES[key]] = value
    return arguments


_ARGUMENT_NAMES = {
    "invokes": "FunctionName",
    "batch_size": "BatchSize",
    "batch_window": "MaximumBatchingWindowInSeconds",
    "enabled": "Enabled",
    "parallelization": "ParallelizationFactor",
    "retries": "MaximumRetryAttempts",
    "maximum_age": "MaximumRecordAgeInSeconds",
    "bisect": "BisectBatchOnFunctionError",
    "starting_position": "StartingPosition",
}


def mapping_state(aws: AWS, mapping: Mapping[str, Any]) -> MappingState:
    """Return the state of a mapping, given an entry of `ListEventSourceMappings`."""

    def number(key: str, default: int) -> int:
        value = mapping.get(key)
        return default if value is None else int(value)

    arn = mapping.get("EventSourceMappingArn") or ""
    tags = none_if_absent(lambda: aws.client("lambda").list_tags(Resource=arn)) if arn else None
    filters = (mapping.get("FilterCriteria") or {}).get("Filters") or ()
    return MappingState(
        source=mapping.get("EventSourceArn", ""),
        uuid=mapping["UUID"],
        arn=arn,
        settings={
            "invokes": mapping["FunctionArn"],
            "batch_size": mapping.get("BatchSize"),
            "batch_window": number("MaximumBatchingWindowInSeconds", 0),
            "partial_batch": "ReportBatchItemFailures" in (mapping.get("FunctionResponseTypes") or ()),
            "filters": sorted(canonical_json(each["Pattern"]) for each in filters),
            "enabled": mapping.get("State") not in {"Disabled", "Disabling"},
            "maximum_concurrency": (mapping.get("ScalingConfig") or {}).get("MaximumConcurrency"),
            "parallelization": number("ParallelizationFactor", 1),
            "retries": number("MaximumRetryAttempts", -1),
            "maximum_age": number("MaximumRecordAgeInSeconds", -1),
            "bisect": bool(mapping.get("BisectBatchOnFunctionError")),
            "on_failure": ((mapping.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination"),
        },
        tags=(tags or {}).get("Tags") or {},
    )


def _wait(aws: AWS, uuid: str, progress: Progress) -> None:
    """Wait until the mapping reaches its final state; after the time limit, note that AWS is still working on it."""
    pause, waited = 0.5, 0.0
    while waited < _SECONDS:
        mapping = none_if_absent(lambda: aws.client("lambda").get_event_source_mapping(UUID=uuid)) or {}
        if mapping.get("State") not in _TRANSITIONAL_STATES:
            return
        progress.detail(f"waiting for AWS: {mapping['State'].lower()}")
        aws.pause(pause)
        waited += pause
        pause = min(pause * 2, 8.0)
    progress.note(f"AWS is still {mapping['State'].lower()} the mapping {uuid}")


def delete_mapping(aws: AWS, uuid: str) -> None:
    """Delete a mapping, as soon as another change of it has finished."""
    client = aws.client("lambda")
    retry(
        aws,
        lambda: none_if_absent(lambda: client.delete_event_source_mapping(UUID=uuid)),
        _is_temporary,
        seconds=_SECONDS,
    )


def _is_temporary(error: Exception) -> bool:
    code = error_code(error)
    return code in {"ResourceInUseException", "ResourceConflictException"} or (
        code == "InvalidParameterValueException" and any(message in str(error) for message in _TEMPORARY_ERRORS)
    )
