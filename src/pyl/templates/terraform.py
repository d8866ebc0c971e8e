"""Configurations for Terraform or OpenTofu with the AWS provider.

https://registry.terraform.io/providers/hashicorp/aws/latest/docs
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pyl.deploy.desired_state import role_statements
from pyl.deploy.log_groups import log_group_name
from pyl.deploy.policy import policy_document
from pyl.deploy.roles import TRUST, role_name
from pyl.deploy.urls import AUTHENTICATION
from pyl.project.model import Project
from pyl.templates.hcl import Block, Call, Expression, Nested, Template, block_name, render
from pyl.templates.template_function import PseudoParameters, TemplateFunction, check_names
from pyl.templates.terraform_triggers import trigger_blocks

PSEUDO_PARAMETERS = PseudoParameters(
    partition="${data.aws_partition.current.partition}",
    region="${data.aws_region.current.region}",
    account="${data.aws_caller_identity.current.account_id}",
)


def render_configuration(project: Project, functions: Sequence[TemplateFunction], folder: Path) -> str:
    """Return the configuration as HCL.

    Args:
        project: The project.
        functions: Functions of the configuration.
        folder: Folder of the configuration's file. Paths of packages are relative to it.

    Raises:
        UsageError: Two functions get the same name.
    """
    check_names(functions, block_name)
    blocks = [
        Block(
            "terraform", (), {"required_providers": Nested({"aws": {"source": "hashicorp/aws", "version": ">= 6.0"}})}
        ),
        Block("data", ("aws_caller_identity", "current"), {}),
        Block("data", ("aws_partition", "current"), {}),
        Block("data", ("aws_region", "current"), {}),
    ]
    for function in functions:
        blocks += _function_blocks(function, folder)
    blocks += trigger_blocks(functions)
    return render(blocks, f"{project.name}: made by `pyl template terraform` from pyproject.toml")


def _function_blocks(function: TemplateFunction, folder: Path) -> Iterator[Block]:
    label, target, settings = (
        block_name(function.name),
        function.target,
        function.settings,
    )
    group: dict[str, Any] = {"name": log_group_name(target)}
    if settings.log_retention:
        group["retention_in_days"] = settings.log_retention
    yield Block("resource", ("aws_cloudwatch_log_group", label), group | _tags(function))
    if not settings.role:
        yield from _role_blocks(function, label)
    yield Block("resource", ("aws_lambda_function", label), _function_body(function, label, folder))
    if settings.alias:
        alias = {
            "name": settings.alias,
            "function_name": Expression(f"aws_lambda_function.{label}.function_name"),
            "function_version": Expression(f"aws_lambda_function.{label}.version"),
        }
        yield Block("resource", ("aws_lambda_alias", label), alias)
    yield from _invocation_blocks(function, label)


def _role_blocks(function: TemplateFunction, label: str) -> Iterator[Block]:
    role = {"name": role_name(function.target), "assume_role_policy": Call("jsonencode", TRUST)} | _tags(function)
    yield Block("resource", ("aws_iam_role", label), role)
    policy = {
        "name": "pyl",
        "role": Expression(f"aws_iam_role.{label}.id"),
        "policy": Call("jsonencode", _to_templates(policy_document(role_statements(function.target)))),
    }
    yield Block("resource", ("aws_iam_role_policy", label), policy)
    for index, arn in enumerate(function.settings.policies or (), 1):
        attached = {"role": Expression(f"aws_iam_role.{label}.name"), "policy_arn": arn}
        yield Block("resource", ("aws_iam_role_policy_attachment", f"{label}_{index}"), attached)


def _function_body(function: TemplateFunction, label: str, folder: Path) -> dict[str, Any]:
    target, settings, configuration = (
        function.target,
        function.settings,
        function.configuration,
    )
    package = Path(os.path.relpath(function.package, folder)).as_posix()
    body: dict[str, Any] = {
        "function_name": target.name,
        "role": settings.role or Expression(f"aws_iam_role.{label}.arn"),
        "filename": Template(f"${{path.module}}/{package}"),
        "source_code_hash": Expression(f'filebase64sha256("${{path.module}}/{package}")'),
        "handler": target.handler,
        "runtime": function.runtime,
        "architectures": [function.architecture],
        "memory_size": configuration.memory,
        "timeout": configuration.timeout,
    }
    plain = {
        "description": function.description,
        "layers": list(settings.layers) if settings.layers else None,
        "reserved_concurrent_executions": settings.reserved_concurrency,
        "publish": True if settings.alias or settings.publish else None,
    }
    body |= {key: value for key, value in plain.items() if value is not None} | _tags(function)
    if configuration.environment:
        body["environment"] = Nested({"variables": dict(configuration.environment)})
    if settings.tracing:
        body["tracing_config"] = Nested({"mode": settings.tracing})
    if settings.ephemeral_storage:
        body["ephemeral_storage"] = Nested({"size": settings.ephemeral_storage})
    if settings.log_format:
        body["logging_config"] = Nested({"log_format": settings.log_format})
    if settings.subnets:
        groups = list(settings.security_groups or ())
        body["vpc_config"] = Nested({"subnet_ids": list(settings.subnets), "security_group_ids": groups})
    policy = [] if settings.role else [Expression(f"aws_iam_role_policy.{label}")]
    return body | {"depends_on": [Expression(f"aws_cloudwatch_log_group.{label}"), *policy]}


def _invocation_blocks(function: TemplateFunction, label: str) -> Iterator[Block]:
    settings = function.settings
    function_arguments = {"function_name": Expression(f"aws_lambda_function.{label}.function_name")}
    if settings.alias:
        function_arguments["qualifier"] = Expression(f"aws_lambda_alias.{label}.name")
    asynchronous: dict[str, Any] = {
        "maximum_retry_attempts": settings.retries,
        "maximum_event_age_in_seconds": settings.event_age,
    }
    asynchronous = {key: value for key, value in asynchronous.items() if value is not None}
    destinations = {
        end: Nested({"destination": arn})
        for end, arn in (("on_success", settings.on_success), ("on_failure", settings.on_failure))
        if arn
    }
    if destinations:
        asynchronous["destination_config"] = Nested(destinations)
    if asynchronous:
        yield Block("resource", ("aws_lambda_function_event_invoke_config", label), function_arguments | asynchronous)
    if settings.url in AUTHENTICATION:
        url: dict[str, Any] = {"authorization_type": AUTHENTICATION[settings.url]}
        if settings.url_mode:
            url["invoke_mode"] = settings.url_mode
        if settings.url_origins:
            cors = {"allow_origins": list(settings.url_origins), "allow_methods": ["*"], "allow_headers": ["*"]}
            url["cors"] = Nested(cors)
        yield Block("resource", ("aws_lambda_function_url", label), function_arguments | url)
        yield Block("output", (f"{label}_url",), {"value": Expression(f"aws_lambda_function_url.{label}.function_url")})
    if settings.url == "public":
        yield from _url_permissions(label, function_arguments)


def _url_permissions(label: str, function_arguments: dict[str, Any]) -> Iterator[Block]:
    """Yield both permissions that public URLs require since October 2025."""
    everyone = function_arguments | {"principal": "*"}
    url = {"action": "lambda:InvokeFunctionUrl", "function_url_auth_type": "NONE"}
    yield Block("resource", ("aws_lambda_permission", f"{label}_url"), everyone | url)
    invoke = {"action": "lambda:InvokeFunction", "invoked_via_function_url": True}
    yield Block("resource", ("aws_lambda_permission", f"{label}_url_invoke"), everyone | invoke)


def _tags(function: TemplateFunction) -> dict[str, Any]:
    tags = dict(function.settings.tags)
    return {"tags": tags} if tags else {}


def _to_templates(value: Any) -> Any:
    """Convert strings of a policy with references to data sources into templates."""
    if isinstance(value, dict):
        return {key: _to_templates(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_to_templates(inner) for inner in value]
    return Template(value) if isinstance(value, str) and "${data." in value else value
