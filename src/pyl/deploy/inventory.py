"""The functions that a project has in AWS, also those that its code no longer has: found by tag."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyl.deploy.aws import AWS, iterate_pages, none_if_absent
from pyl.deploy.desired_state import owner_of
from pyl.deploy.tags import PROJECT, Owner
from pyl.deploy.target import Target, make_target
from pyl.deploy.triggers import mappings, permissions
from pyl.errors import UsageError
from pyl.project.config.model import FunctionConfiguration
from pyl.project.config.pyproject import find_nearest
from pyl.project.model import Function, Project

_LOGS = "/aws/lambda/"


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """One function, in the code, in AWS, or both."""

    target: Target
    in_project: bool
    configuration: Mapping[str, Any]
    """What Lambda tells of it; empty if it is not in AWS."""
    aliases: Mapping[str, str]
    """Version by alias."""
    url: str | None
    triggers: tuple[str, ...]
    """Type and source of each that pyl made."""

    def as_json(self) -> dict[str, Any]:
        """What `pyl list --json` prints of it."""
        known = self.configuration
        return {
            "function": self.target.function.name,
            "name": self.target.name,
            "in_project": self.in_project,
            "deployed": bool(known),
            "arn": self.target.arn if known else None,
            "runtime": known.get("Runtime"),
            "architecture": next(iter(known.get("Architectures") or ()), None),
            "memory": known.get("MemorySize"),
            "timeout": known.get("Timeout"),
            "code_bytes": known.get("CodeSize"),
            "code_sha256": known.get("CodeSha256"),
            "modified": known.get("LastModified"),
            "aliases": dict(self.aliases),
            "url": self.url,
            "triggers": list(self.triggers),
        }


def targets_in_aws(aws: AWS, project: Project) -> dict[str, Target]:
    """Every function of the project, in its code or in AWS, by its own name (without the prefix).

    Raises:
        AWSError: AWS could not be asked.
    """
    owner = owner_of(project)
    functions = {function.name: function for function in project.functions}
    with aws.errors("list what the project has in AWS"):
        for name in _tagged_names(aws, owner):
            functions.setdefault(name, _function_without_code(name))
        return {name: make_target(aws, owner, functions[name]) for name in sorted(functions)}


def target_in_aws(aws: AWS, project: Project, name: str) -> Target:
    """One function; AWS is only asked for its list where the code has no such function.

    Raises:
        UsageError: neither has it.
    """
    own = next((function for function in project.functions if function.name == name), None)
    if own is not None:
        with aws.errors(f"find out where {name} is"):
            return make_target(aws, owner_of(project), own)
    known = targets_in_aws(aws, project)
    if name in known:
        return known[name]
    meant = find_nearest(name, known)
    msg = f'neither the project nor AWS has a function "{name}" of {project.name}'
    raise UsageError(msg, hint=f"did you mean {meant}?" if meant else f"there are {', '.join(known)}")


def deployed(aws: AWS, project: Project) -> list[Deployed]:
    """What there is of each function.

    Raises:
        AWSError: AWS could not be asked.
    """
    own = {function.name for function in project.functions}
    targets = targets_in_aws(aws, project)
    with aws.errors("read the functions"):
        rows = [_deployed(aws, target, in_project=name in own) for name, target in targets.items()]
    return [row for row in rows if row.in_project or row.configuration]


def _deployed(aws: AWS, target: Target, *, in_project: bool) -> Deployed:
    client, function = aws.client("lambda"), {"FunctionName": target.name}
    answer = none_if_absent(lambda: client.get_function(**function))
    if answer is None or not target.owner.owns(answer.get("Tags") or {}):
        return Deployed(target=target, in_project=in_project, configuration={}, aliases={}, url=None, triggers=())
    url = none_if_absent(lambda: client.get_function_url_config(**function, **target.qualification))
    return Deployed(
        target=target,
        in_project=in_project,
        configuration=answer["Configuration"],
        aliases={
            alias["Name"]: alias["FunctionVersion"]
            for alias in iterate_pages(client, "list_aliases", "Aliases", **function)
        },
        url=url["FunctionUrl"] if url else None,
        triggers=tuple(_triggers(aws, target)),
    )


def _triggers(aws: AWS, target: Target) -> Iterator[str]:
    qualifiers = permissions.qualifiers(aws, target.name)
    for qualifier in qualifiers:
        for permission in permissions.permissions(aws, target.name, qualifier):
            yield f"{permission.type} {permission.source_arn.split(':', 5)[-1]}"
    names = [f"{target.arn}:{qualifier}" if qualifier else target.arn for qualifier in qualifiers]
    for mapping in mappings.find_own_mappings(aws, target, names, set()):
        service, resource = mapping.source.split(":")[2], mapping.source.split(":", 5)[-1]
        yield f"{service} {resource.partition('/stream/')[0]}"


def _tagged_names(aws: AWS, owner: Owner) -> Iterator[str]:
    """Names of functions that have a function or a log group of this project's."""
    client = aws.client("resourcegroupstaggingapi")
    filters = [{"Key": PROJECT, "Values": [owner.tag]}]
    for resource in iterate_pages(client, "get_resources", "ResourceTagMappingList", TagFilters=filters):
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
    """A function that is in AWS only."""
    return Function(
        name=name,
        module="",
        attribute="",
        file=Path(),
        line=0,
        event=None,
        configuration=FunctionConfiguration(),
    )
