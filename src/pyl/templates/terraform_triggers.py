"""Triggers as Terraform blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pyl.deploy.triggers import sources
from pyl.deploy.triggers.http import api_name, route_arn_path
from pyl.deploy.triggers.mappings import mapping_arguments
from pyl.deploy.triggers.permissions import PRINCIPALS, WITH_ACCOUNT
from pyl.project.config.triggers import (
    BatchTrigger,
    DynamoDBTrigger,
    EventBridgeTrigger,
    HTTPAPITrigger,
    KinesisTrigger,
    S3Trigger,
    ScheduleTrigger,
    SESTrigger,
    SNSTrigger,
    SQSTrigger,
    Trigger,
)
from pyl.project.trigger_rules import find_payload_format
from pyl.templates.hcl import Block, Expression, Nested, Template, block_name
from pyl.templates.template_function import TemplateFunction

_MAPPING_ARGUMENT_NAMES = {
    "BatchSize": "batch_size",
    "MaximumBatchingWindowInSeconds": "maximum_batching_window_in_seconds",
    "FunctionResponseTypes": "function_response_types",
    "Enabled": "enabled",
    "StartingPosition": "starting_position",
    "ParallelizationFactor": "parallelization_factor",
    "MaximumRetryAttempts": "maximum_retry_attempts",
    "MaximumRecordAgeInSeconds": "maximum_record_age_in_seconds",
    "BisectBatchOnFunctionError": "bisect_batch_on_function_error",
}
"""The provider's argument names by Lambda's."""

FunctionTriggers = Sequence[tuple[TemplateFunction, Trigger]]


def trigger_blocks(functions: Sequence[TemplateFunction]) -> Iterator[Block]:
    """Yield the blocks of all triggers. Blocks that functions share (tables, buckets, APIs) occur once."""
    function_triggers = [(function, trigger) for function in functions for trigger in function.configuration.triggers]
    yield from _tables(function_triggers)
    yield from _apis(function_triggers)
    for function, trigger in function_triggers:
        yield from _blocks(function, trigger)
    yield from _notifications(function_triggers)


def _blocks(function: TemplateFunction, trigger: Trigger) -> Iterator[Block]:
    match trigger:
        case SQSTrigger() | DynamoDBTrigger() | KinesisTrigger():
            yield Block(
                "resource",
                ("aws_lambda_event_source_mapping", _label(function, trigger)),
                _mapping(function, trigger),
            )
        case S3Trigger():
            bucket = Template(sources.source_arn(function.target, trigger))
            yield _permission(function, trigger, bucket)
        case SNSTrigger():
            yield from _subscription(function, trigger)
        case EventBridgeTrigger():
            body: dict[str, Any] = {"event_pattern": trigger.pattern, "event_bus_name": trigger.bus}
            yield from _rule(function, trigger, body, trigger.enabled)
        case ScheduleTrigger():
            yield from _rule(function, trigger, {"schedule_expression": trigger.expression}, trigger.enabled)
        case SESTrigger():
            yield from _receipt_rule(function, trigger)
        case HTTPAPITrigger():
            yield from _route(function, trigger)


def _label(function: TemplateFunction, trigger: Trigger) -> str:
    return block_name(function.name, trigger.type, str(trigger.index + 1))


def _invoked_arn(function: TemplateFunction) -> Expression:
    kind = "aws_lambda_alias" if function.target.qualifier else "aws_lambda_function"
    return Expression(f"{kind}.{block_name(function.name)}.arn")


def _mapping(function: TemplateFunction, trigger: BatchTrigger) -> dict[str, Any]:
    body: dict[str, Any] = {
        "function_name": _invoked_arn(function),
        "event_source_arn": _source(function, trigger),
    }
    for key, value in mapping_arguments(function.target, trigger).items():
        match key:
            case "FilterCriteria":
                body["filter_criteria"] = Nested(
                    {"filter": [Nested({"pattern": each["Pattern"]}) for each in value["Filters"]]}
                )
            case "ScalingConfig":
                body["scaling_config"] = Nested({"maximum_concurrency": value["MaximumConcurrency"]})
            case "DestinationConfig":
                failure = Nested({"destination_arn": value["OnFailure"]["Destination"]})
                body["destination_config"] = Nested({"on_failure": failure})
            case _:
                body[_MAPPING_ARGUMENT_NAMES[key]] = value
    return body


def _source(function: TemplateFunction, trigger: BatchTrigger) -> Expression | Template:
    if isinstance(trigger, DynamoDBTrigger) and not trigger.table.startswith("arn:"):
        return Expression(f"data.aws_dynamodb_table.{block_name(trigger.table)}.stream_arn")
    return Template(sources.source_arn(function.target, trigger))


def _tables(function_triggers: FunctionTriggers) -> Iterator[Block]:
    tables = dict.fromkeys(trigger.table for _, trigger in function_triggers if isinstance(trigger, DynamoDBTrigger))
    for table in tables:
        if not table.startswith("arn:"):
            yield Block("data", ("aws_dynamodb_table", block_name(table)), {"name": table})


def _permission(function: TemplateFunction, trigger: Trigger, source: Template | Expression) -> Block:
    body: dict[str, Any] = {
        "action": "lambda:InvokeFunction",
        "function_name": Expression(f"aws_lambda_function.{block_name(function.name)}.function_name"),
        "principal": PRINCIPALS[trigger.type],
        "source_arn": source,
    }
    if function.target.qualifier:
        body["qualifier"] = Expression(f"aws_lambda_alias.{block_name(function.name)}.name")
    if trigger.type in WITH_ACCOUNT:
        body["source_account"] = Expression("data.aws_caller_identity.current.account_id")
    return Block("resource", ("aws_lambda_permission", _label(function, trigger)), body)


def _notifications(function_triggers: FunctionTriggers) -> Iterator[Block]:
    """Yield one block per bucket: the provider replaces the whole list of notifications."""
    buckets: dict[str, list[tuple[TemplateFunction, S3Trigger]]] = {}
    for function, trigger in function_triggers:
        if isinstance(trigger, S3Trigger):
            buckets.setdefault(trigger.bucket, []).append((function, trigger))
    for bucket, entries in buckets.items():
        functions = []
        for function, trigger in entries:
            keys = {"filter_prefix": trigger.prefix, "filter_suffix": trigger.suffix}
            body = {"lambda_function_arn": _invoked_arn(function), "events": list(trigger.events)}
            functions.append(Nested(body | {key: value for key, value in keys.items() if value}))
        permissions = [
            Expression(f"aws_lambda_permission.{_label(function, trigger)}") for function, trigger in entries
        ]
        body = {"bucket": bucket, "lambda_function": functions, "depends_on": permissions}
        yield Block("resource", ("aws_s3_bucket_notification", block_name(bucket)), body)


def _subscription(function: TemplateFunction, trigger: SNSTrigger) -> Iterator[Block]:
    topic = Template(sources.source_arn(function.target, trigger))
    yield _permission(function, trigger, topic)
    body: dict[str, Any] = {"topic_arn": topic, "protocol": "lambda", "endpoint": _invoked_arn(function)}
    if trigger.filter is not None:
        body |= {"filter_policy": trigger.filter, "filter_policy_scope": trigger.filter_scope}
    yield Block("resource", ("aws_sns_topic_subscription", _label(function, trigger)), body)


def _rule(
    function: TemplateFunction,
    trigger: EventBridgeTrigger | ScheduleTrigger,
    definition: dict[str, Any],
    enabled: bool,
) -> Iterator[Block]:
    label = _label(function, trigger)
    title = function.target.owner.name(f"{function.name}-{trigger.type}-{trigger.index + 1}")
    state = {"name": title, "state": "ENABLED" if enabled else "DISABLED"}
    yield Block("resource", ("aws_cloudwatch_event_rule", label), state | definition)
    target: dict[str, Any] = {
        "rule": Expression(f"aws_cloudwatch_event_rule.{label}.name"),
        "arn": _invoked_arn(function),
    }
    if "event_bus_name" in definition:
        target["event_bus_name"] = definition["event_bus_name"]
    if isinstance(trigger, ScheduleTrigger) and trigger.input is not None:
        target["input"] = trigger.input
    yield Block("resource", ("aws_cloudwatch_event_target", label), target)
    yield _permission(function, trigger, Expression(f"aws_cloudwatch_event_rule.{label}.arn"))


def _receipt_rule(function: TemplateFunction, trigger: SESTrigger) -> Iterator[Block]:
    title = function.target.owner.name(f"{function.name}-{trigger.type}-{trigger.index + 1}")
    source = Template(sources.receipt_rule_arn(function.target, trigger, title))
    yield _permission(function, trigger, source)
    action = {"function_arn": _invoked_arn(function), "invocation_type": trigger.invocation, "position": 1}
    body: dict[str, Any] = {
        "name": title,
        "rule_set_name": trigger.rule_set,
        "recipients": list(trigger.recipients),
        "enabled": trigger.enabled,
        "scan_enabled": trigger.scan,
        "tls_policy": trigger.tls,
        "lambda_action": Nested(action),
    }
    if trigger.after:
        body["after"] = trigger.after
    permission = Expression(f"aws_lambda_permission.{_label(function, trigger)}")
    yield Block("resource", ("aws_ses_receipt_rule", _label(function, trigger)), body | {"depends_on": [permission]})


def _apis(function_triggers: FunctionTriggers) -> Iterator[Block]:
    titles = dict.fromkeys(
        api_name(function.target.owner, trigger)
        for function, trigger in function_triggers
        if isinstance(trigger, HTTPAPITrigger)
    )
    for title in titles:
        label = block_name(title)
        yield Block("resource", ("aws_apigatewayv2_api", label), {"name": title, "protocol_type": "HTTP"})
        api = {"api_id": Expression(f"aws_apigatewayv2_api.{label}.id")}
        stage = api | {"name": "$default", "auto_deploy": True}
        yield Block("resource", ("aws_apigatewayv2_stage", label), stage)
        yield Block("output", (f"{label}_api",), {"value": Expression(f"aws_apigatewayv2_api.{label}.api_endpoint")})


def _route(function: TemplateFunction, trigger: HTTPAPITrigger) -> Iterator[Block]:
    label = _label(function, trigger)
    api = f"aws_apigatewayv2_api.{block_name(api_name(function.target.owner, trigger))}"
    integration = {
        "api_id": Expression(f"{api}.id"),
        "integration_type": "AWS_PROXY",
        "integration_uri": _invoked_arn(function),
        "payload_format_version": find_payload_format(function.event),
    }
    yield Block("resource", ("aws_apigatewayv2_integration", label), integration)
    route = {
        "api_id": Expression(f"{api}.id"),
        "route_key": trigger.route,
        "authorization_type": trigger.authorization,
        "target": Template(f"integrations/${{aws_apigatewayv2_integration.{label}.id}}"),
    }
    yield Block("resource", ("aws_apigatewayv2_route", label), route)
    route_path = route_arn_path(trigger.route)
    yield _permission(function, trigger, Template(f"${{{api}.execution_arn}}/*/{route_path}"))
