"""The project's functions in AWS, found by their tags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyl.deploy.aws import AWS, none_if_absent, paginate
from pyl.deploy.desired_state import owner_of
from pyl.deploy.tags import PROJECT, Owner
from pyl.deploy.target import Target, make_target
from pyl.deploy.triggers import permissions
from pyl.deploy.triggers.orphans import find_own_mappings
from pyl.errors import UsageError
from pyl.project.config.model import FunctionConfiguration
from pyl.project.config.pyproject import find_nearest
from pyl.project.model import Function, Project

_LOGS = "/aws/lambda/"


@dataclass(frozen=True, kw_only=True)
class InventoryEntry:
    """A function in the project, in AWS, or in both."""

    target: Target
    in_project: bool
    configuration: Mapping[str, Any]
    """Answer of `GetFunction`; empty if the function is not in AWS."""
    aliases: Mapping[str, str]
    """Versions by alias."""
    url: str | None
    triggers: tuple[str, ...]
    """Type and source of each trigger that pyl created."""

    def as_json(self) -> dict[str, Any]:
        """Return the entry of `pyl list --json`."""
        configuration = self.configuration
        return {
            "function": self.target.function.name,
            "name": self.target.name,
            "in_project": self.in_project,
            "deployed": bool(configuration),
            "arn": self.target.arn if configuration else None,
            "runtime": configuration.get("Runtime"),
            "architecture": next(iter(configuration.get("Architectures") or ()), None),
            "memory": configuration.get("MemorySize"),
            "timeout": configuration.get("Timeout"),
            "code_bytes": configuration.get("CodeSize"),
            "code_sha256": configuration.get("CodeSha256"),
            "modified": configuration.get("LastModified"),
            "aliases": dict(self.aliases),
            "url": self.url,
            "triggers": list(self.triggers),
        }


def find_targets(aws: AWS, project: Project) -> dict[str, Target]:
    """Return all functions of the project, in its code or in AWS, by name without prefix.

    Raises:
        AWSError: A request to AWS failed.
    """
    owner = owner_of(project)
    functions = {function.name: function for function in project.functions}
    with aws.errors("list the project's resources"):
        for name in _tagged_names(aws, owner):
            functions.setdefault(name, _function_without_code(name))
        return {name: make_target(aws, owner, functions[name]) for name in sorted(functions)}


def find_target(aws: AWS, project: Project, name: str) -> Target:
    """Return one function. AWS is only asked for functions that the code does not have.

    Raises:
        UsageError: Neither the code nor AWS has the function.
    """
    in_code = next((function for function in project.functions if function.name == name), None)
    if in_code is not None:
        with aws.errors(f"find out where {name} is"):
            return make_target(aws, owner_of(project), in_code)
    targets = find_targets(aws, project)
    if name in targets:
        return targets[name]
    suggestion = find_nearest(name, targets)
    msg = f'{project.name} has no function "{name}", neither in its code nor in AWS'
    raise UsageError(
        msg, hint=f"did you mean {suggestion}?" if suggestion else f"the functions are {', '.join(targets)}"
    )


def list_functions(aws: AWS, project: Project) -> list[InventoryEntry]:
    """Return the state of each function of the project.

    Raises:
        AWSError: A request to AWS failed.
    """
    names_in_code = {function.name for function in project.functions}
    targets = find_targets(aws, project)
    with aws.errors("read the functions"):
        rows = [_read_entry(aws, target, in_project=name in names_in_code) for name, target in targets.items()]
    return [row for row in rows if row.in_project or row.configuration]


def _read_entry(aws: AWS, target: Target, *, in_project: bool) -> InventoryEntry:
    client, function = aws.client("lambda"), {"FunctionName": target.name}
    answer = none_if_absent(lambda: client.get_function(**function))
    if answer is None or not target.owner.owns(answer.get("Tags") or {}):
        return InventoryEntry(target=target, in_project=in_project, configuration={}, aliases={}, url=None, triggers=())
    url = none_if_absent(lambda: client.get_function_url_config(**function, **target.qualification))
    return InventoryEntry(
        target=target,
        in_project=in_project,
        configuration=answer["Configuration"],
        aliases={
            alias["Name"]: alias["FunctionVersion"] for alias in paginate(client, "list_aliases", "Aliases", **function)
        },
        url=url["FunctionUrl"] if url else None,
        triggers=tuple(_triggers(aws, target)),
    )


def _triggers(aws: AWS, target: Target) -> Iterator[str]:
    qualifiers = permissions.read_qualifiers(aws, target.name)
    for qualifier in qualifiers:
        for permission in permissions.read_permissions(aws, target.name, qualifier):
            yield f"{permission.type} {permission.source_arn.split(':', 5)[-1]}"
    names = [f"{target.arn}:{qualifier}" if qualifier else target.arn for qualifier in qualifiers]
    for mapping in find_own_mappings(aws, target, names, set()):
        service, resource = mapping.source.split(":")[2], mapping.source.split(":", 5)[-1]
        yield f"{service} {resource.partition('/stream/')[0]}"


def _tagged_names(aws: AWS, owner: Owner) -> Iterator[str]:
    """Yield names of functions that have a function or a log group with the project's tag."""
    client = aws.client("resourcegroupstaggingapi")
    filters = [{"Key": PROJECT, "Values": [owner.tag]}]
    for resource in paginate(client, "get_resources", "ResourceTagMappingList", TagFilters=filters):
        match resource["ResourceARN"].split(":"):
            case [_, _, "lambda", _, _, "function", name]:
                pass
            case [_, _, "logs", _, _, "log-group", group, *_] if group.startswith(_LOGS):
                name = group.removeprefix(_LOGS)
            case _:
                continue
        if name.startswith(owner.prefix):
            yield name.removeprefix(owner.prefix)


def _function_without_code(name: str) -> Function:
    """Return a function that exists in AWS only."""
    return Function(
        name=name,
        module="",
        attribute="",
        file=Path(),
        line=0,
        event=None,
        configuration=FunctionConfiguration(),
    )
