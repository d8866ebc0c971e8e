"""Configuration of deployment: what a function is to have in AWS. Units and terms are those of AWS.

Bounds are those of https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html and of the services named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from pyl.architecture import Architecture
from pyl.project.config.keys import Kind, key

RETENTIONS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip
"""https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html"""

_Prefix = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$")]
_Bucket = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
_Role = Annotated[str, Meta(pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/.+$")]
_Policy = Annotated[str, Meta(pattern=r"^arn:aws[a-z-]*:iam::(aws|[0-9]{12}):policy/.+$")]
_Policies = Annotated[tuple[_Policy, ...], Meta(max_length=20)]
_Layer = Annotated[str, Meta(pattern=r"^arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:layer:[A-Za-z0-9_-]+:[0-9]+$")]
_Layers = Annotated[tuple[_Layer, ...], Meta(max_length=5)]
_Retention = Annotated[int, Meta(ge=RETENTIONS[0], le=RETENTIONS[-1], extra={"steps": RETENTIONS})]
_Subnets = Annotated[tuple[Annotated[str, Meta(pattern=r"^subnet-[0-9a-z]+$")], ...], Meta(max_length=16)]
_SecurityGroups = Annotated[tuple[Annotated[str, Meta(pattern=r"^sg-[0-9a-zA-Z]+$")], ...], Meta(max_length=5)]
_Storage = Annotated[int, Meta(ge=512, le=10_240)]
_Alias = Annotated[str, Meta(pattern=r"^(?![0-9]+$)[A-Za-z0-9_-]{1,128}$")]
_Destination = Annotated[str, Meta(pattern=r"^arn:aws[a-z-]*:(sqs|sns|lambda|events|s3):.+$")]
_Retries = Annotated[int, Meta(ge=0, le=2)]
_EventAge = Annotated[int, Meta(ge=60, le=21_600)]
_Runtime = Literal["provided.al2", "provided.al2023", "python3.11", "python3.12", "python3.13"]
_Concurrency = Annotated[int, Meta(ge=-1, le=1_000_000)]
_Origin = Annotated[str, Meta(pattern=r"^(\*|https?://.+)$")]


class Allowed(Struct, frozen=True, kw_only=True):
    """Actions on resources that a function's own code needs."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]


class ProjectDeployment(Struct, frozen=True, kw_only=True):
    """Settings that only `[tool.pyl]` has."""

    prefix: Annotated[
        _Prefix,
        key(
            "Prefix of all names in AWS, so that a project can be deployed several times.",
            "test-",
            variable="PYL_PREFIX",
        ),
    ] = ""
    bucket: Annotated[
        _Bucket | None,
        key("S3 bucket for packages over 50 MB.", "my-packages", variable="PYL_BUCKET", default="one that pyl creates"),
    ] = None


class SharedDeployment(Struct, frozen=True, kw_only=True):
    """Settings that `[tool.pyl]` has for all functions, and that a function's own table can override."""

    role: Annotated[
        _Role | None,
        key(
            "ARN of the role that functions run as.",
            "arn:aws:iam::123456789012:role/orders",
            variable="PYL_ROLE",
            default="one per function, which pyl creates",
        ),
    ] = None
    policies: Annotated[
        _Policies | None,
        key(
            "ARNs of policies to attach to a role that pyl creates.", ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"]
        ),
    ] = None
    tags: Annotated[
        Mapping[str, str],
        key(
            "Tags. A function's are added to the project's. Other tags in AWS are kept.",
            {"team": "shop"},
            kind=Kind.TAGS,
        ),
    ] = field(default_factory=dict)
    environment_mode: Annotated[
        Literal["merge", "replace"], key("Whether variables that are only in AWS are kept or removed.", "replace")
    ] = "merge"
    layers: Annotated[
        _Layers | None,
        key(
            "ARNs of layer versions (interpreted packages).",
            ["arn:aws:lambda:eu-central-1:123456789012:layer:tables:3"],
        ),
    ] = None
    tracing: Annotated[Literal["Active", "PassThrough"] | None, key("X-Ray tracing.", "Active")] = None
    log_retention: Annotated[_Retention | None, key("Days that logs are kept.", 30)] = None
    log_format: Annotated[Literal["Text", "JSON"] | None, key("Format of log lines.", "JSON")] = None
    subnets: Annotated[_Subnets | None, key("Subnets of the VPC to run in; `[]`: no VPC.", ["subnet-0a1b2c3d"])] = None
    security_groups: Annotated[_SecurityGroups | None, key("Security groups in the VPC.", ["sg-0a1b2c3d"])] = None
    ephemeral_storage: Annotated[_Storage | None, key("Size of `/tmp` in MB.", 1024)] = None
    alias: Annotated[
        _Alias | None,
        key("Alias that is moved to a new version with each deployment that changes the function.", "live"),
    ] = None
    publish: Annotated[
        bool, key("Whether to publish a version with each deployment that changes the function; `alias` does.", True)
    ] = False
    on_success: Annotated[
        _Destination | None,
        key(
            "ARN of a queue, topic, function, event bus or bucket for results of asynchronous invocations.",
            "arn:aws:sqs:eu-central-1:123456789012:done",
        ),
    ] = None
    on_failure: Annotated[
        _Destination | None,
        key("The same for events that could not be handled.", "arn:aws:sqs:eu-central-1:123456789012:failed"),
    ] = None
    retries: Annotated[_Retries | None, key("How often a failed asynchronous invocation is retried.", 1)] = None
    event_age: Annotated[
        _EventAge | None, key("Seconds after which an event that was not handled is discarded.", 3600)
    ] = None


class DeploymentConfiguration(SharedDeployment, frozen=True, kw_only=True):
    """Settings of one function in AWS. Where a value is `None`, AWS keeps what it has."""

    architecture: Annotated[
        Architecture | None, key("Processor of the function.", Architecture.ARM64, default="the project's")
    ] = None
    runtime: Annotated[
        _Runtime | None,
        key(
            "Lambda runtime, which also says which kind of package the function gets.",
            "provided.al2023",
            default="the package's",
        ),
    ] = None
    allow: Annotated[
        tuple[Allowed, ...],
        key(
            "What the function's own code may do in AWS, for the role that pyl creates.",
            [{"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::scans/*"]}],
            kind=Kind.STATEMENTS,
        ),
    ] = ()
    reserved_concurrency: Annotated[
        _Concurrency | None,
        key("Invocations at a time, reserved and at most; 0 stops the function, -1 removes the limit.", 10),
    ] = None
    url: Annotated[
        Literal["public", "iam", "off"] | None, key("Function URL: for everyone, for signed requests, or none.", "iam")
    ] = None
    url_mode: Annotated[
        Literal["BUFFERED", "RESPONSE_STREAM"] | None,
        key("Whether the URL answers when the function is done, or while it writes.", "RESPONSE_STREAM"),
    ] = None
    url_origins: Annotated[
        tuple[_Origin, ...] | None, key("Origins whose pages may call the URL (CORS).", ["https://example.org"])
    ] = None


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """Keys that are valid, but not together."""

    key: str
    message: str
    hint: str


def find_conflicts(own: Mapping[str, Any], effective: Mapping[str, Any]) -> Iterator[Conflict]:
    """Yield the keys of a table that do not go together with the values that hold for it.

    Args:
        own: The values that the table itself has.
        effective: These, with those that are inherited from `[tool.pyl]`, variables and options.
    """
    for one, other in (("subnets", "security_groups"), ("security_groups", "subnets")):
        if own.get(one) and not effective.get(other):
            yield Conflict(
                key=one, message=f"`{one}` without `{other}`: Lambda accepts both or none", hint=f"add `{other}`"
            )
    for name in ("allow", "policies"):
        if own.get(name) and own.get("role"):
            message = f"`{name}` is for a role that pyl creates; pyl does not change the one that `role` names"
            yield Conflict(
                key=name, message=message, hint=f"add to that role what the function needs, and leave out `{name}`"
            )
    for name in ("url_mode", "url_origins"):
        if name in own and effective.get("url") in {None, "off"}:
            yield Conflict(key=name, message=f"`{name}` without a function URL", hint='add url = "iam", or "public"')
    if own.get("layers") and str(effective.get("runtime", "")).startswith("provided"):
        message = "`layers` with a native package, which is loaded from its image and not from layers"
        yield Conflict(key="layers", message=message, hint="leave it out")
