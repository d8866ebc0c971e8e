"""Templates for AWS SAM (CloudFormation with the Serverless transform).

https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification.html
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pyl.deploy.desired_state import role_statements
from pyl.deploy.log_groups import log_group_name
from pyl.deploy.policy import policy_document
from pyl.deploy.triggers import sources
from pyl.deploy.triggers.http import api_name
from pyl.deploy.triggers.mappings import mapping_arguments
from pyl.deploy.triggers.permissions import PRINCIPALS
from pyl.deploy.triggers.s3 import filter_rules
from pyl.deploy.urls import AUTHENTICATION, cors
from pyl.errors import UsageError
from pyl.project.config.triggers import (
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
from pyl.project.model import Project
from pyl.project.trigger_rules import find_payload_format
from pyl.templates.template_function import PseudoParameters, TemplateFunction, check_names, identifier

PSEUDO_PARAMETERS = PseudoParameters(
    partition="${AWS::Partition}", region="${AWS::Region}", account="${AWS::AccountId}"
)

_DESTINATIONS = {"events": "EventBridge", "lambda": "Lambda", "s3": "S3", "sns": "SNS", "sqs": "SQS"}


def build_template(project: Project, functions: Sequence[TemplateFunction], folder: Path) -> dict[str, Any]:
    """Return the template as data.

    Args:
        project: The project.
        functions: Functions of the template.
        folder: Folder of the template's file. Paths of packages are relative to it.

    Raises:
        UsageError: Two functions get the same logical ID.
    """
    check_names(functions, identifier)
    writer = _Writer(folder)
    for function in functions:
        writer.add(function)
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Transform": "AWS::Serverless-2016-10-31",
        "Description": f"{project.name}: made by `pyl template sam` from pyproject.toml",
        **({"Parameters": writer.parameters} if writer.parameters else {}),
        "Resources": writer.resources,
        **({"Outputs": writer.outputs} if writer.outputs else {}),
    }


def render(content: dict[str, Any]) -> str:
    """Return the template as YAML.

    Raises:
        UsageError: PyYAML is not installed.
    """
    try:
        import yaml
    except ImportError:
        msg = "templates for SAM need PyYAML, which is not installed"
        raise UsageError(msg, hint="pip install 'pyl[deploy]'") from None

    copied = json.loads(json.dumps(content))  # shared objects would become anchors in YAML
    text: str = yaml.safe_dump(copied, sort_keys=False, allow_unicode=True, width=120)
    return text


class _Writer:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.parameters: dict[str, Any] = {}
        self.resources: dict[str, Any] = {}
        self.outputs: dict[str, Any] = {}

    def add(self, function: TemplateFunction) -> None:
        """Add a function with its triggers."""
        logical_id = identifier(function.name, "Function")
        target, settings = function.target, function.settings
        properties: dict[str, Any] = {
            "FunctionName": target.name,
            "CodeUri": Path(os.path.relpath(function.package, self.folder)).as_posix(),
            "Handler": target.handler,
            "Runtime": function.runtime,
            "Architectures": [function.architecture],
            "MemorySize": function.configuration.memory,
            "Timeout": function.configuration.timeout,
            **dict(_optional(function)),
        }
        if settings.role:
            properties["Role"] = settings.role
        else:
            policy = _substitute(policy_document(role_statements(target)))
            properties["Policies"] = [*(settings.policies or ()), policy]
        self.resources[logical_id] = {"Type": "AWS::Serverless::Function", "Properties": properties}
        if settings.log_retention:
            group = {"LogGroupName": log_group_name(target), "RetentionInDays": settings.log_retention}
            self.resources[f"{logical_id}Logs"] = {"Type": "AWS::Logs::LogGroup", "Properties": group}
            self.resources[logical_id]["DependsOn"] = [f"{logical_id}Logs"]
        events = {}
        for index, trigger in enumerate(function.configuration.triggers, 1):
            event = self._event(function, logical_id, trigger)
            if event is not None:
                events[f"{identifier(trigger.type)}{index}"] = event
        if events:
            properties["Events"] = events
        if settings.url in AUTHENTICATION:
            self.outputs[f"{logical_id}Url"] = {"Value": {"Fn::GetAtt": [f"{logical_id}Url", "FunctionUrl"]}}

    def _event(self, function: TemplateFunction, logical_id: str, trigger: Trigger) -> dict[str, Any] | None:
        """Return an entry of the function's `Events`, or `None` for a trigger that SAM does not support there."""
        target = function.target
        match trigger:
            case SQSTrigger():
                source = {"Queue": _substitute_string(sources.source_arn(target, trigger))}
                return _typed("SQS", source | mapping_arguments(target, trigger))
            case KinesisTrigger():
                source = {"Stream": _substitute_string(sources.source_arn(target, trigger))}
                return _typed("Kinesis", source | mapping_arguments(target, trigger))
            case DynamoDBTrigger():
                return _typed("DynamoDB", {"Stream": self._table_stream(trigger)} | mapping_arguments(target, trigger))
            case S3Trigger():
                return _typed("S3", self._notification(trigger))
            case SNSTrigger():
                return _typed("SNS", _subscription(function, trigger))
            case EventBridgeTrigger():
                return _pattern_rule(trigger)
            case ScheduleTrigger():
                schedule_input = {"Input": trigger.input} if trigger.input is not None else {}
                return _typed(
                    "Schedule", {"Schedule": trigger.expression, "Enabled": trigger.enabled, **schedule_input}
                )
            case HTTPAPITrigger():
                return _typed("HttpApi", self._route(function, trigger))
            case SESTrigger():
                self._receipt_rule(function, logical_id, trigger)
                return None

    def _table_stream(self, trigger: DynamoDBTrigger) -> Any:
        """Return a parameter for the stream's ARN: it contains a timestamp that only AWS knows."""
        if trigger.table.startswith("arn:"):
            return trigger.table
        parameter = identifier("Table", trigger.table, "StreamArn")
        self.parameters[parameter] = {
            "Type": "String",
            "Description": f"aws dynamodb describe-table --table-name {trigger.table} --query Table.LatestStreamArn",
        }
        return {"Ref": parameter}

    def _notification(self, trigger: S3Trigger) -> dict[str, Any]:
        """Add the bucket: CloudFormation configures notifications only for buckets of the stack."""
        bucket = identifier("Bucket", trigger.bucket)
        self.resources[bucket] = {
            "Type": "AWS::S3::Bucket",
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {"BucketName": trigger.bucket},
        }
        rules = filter_rules(trigger)
        filtered = {"Filter": {"S3Key": {"Rules": rules}}} if rules else {}
        return {"Bucket": {"Ref": bucket}, "Events": list(trigger.events), **filtered}

    def _route(self, function: TemplateFunction, trigger: HTTPAPITrigger) -> dict[str, Any]:
        title = api_name(function.target.owner, trigger)
        api = identifier("Api", title)
        properties = self.resources.setdefault(
            api, {"Type": "AWS::Serverless::HttpApi", "Properties": {"Name": title}}
        )["Properties"]
        self.outputs[f"{api}Url"] = {
            "Value": {"Fn::Sub": f"https://${{{api}}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}"}
        }
        method, _, path = trigger.route.rpartition(" ")
        route: dict[str, Any] = {"ApiId": {"Ref": api}}
        if method:
            route |= {"Method": method, "Path": path}
        route["PayloadFormatVersion"] = find_payload_format(function.event)
        if trigger.authorization == "AWS_IAM":
            properties["Auth"] = {"EnableIamAuthorizer": True}
            route["Auth"] = {"Authorizer": "AWS_IAM"}
        return route

    def _receipt_rule(self, function: TemplateFunction, logical_id: str, trigger: SESTrigger) -> None:
        arn: dict[str, Any] = {"Fn::GetAtt": [logical_id, "Arn"]}
        if function.target.qualifier:
            arn = {"Ref": f"{logical_id}Alias{function.target.qualifier}"}
        name = identifier(function.name, trigger.rule_set, "Rule", str(trigger.index + 1))
        rules = sources.receipt_rule_arn(function.target, trigger, "*")
        self.resources[f"{name}Permission"] = {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction",
                "FunctionName": arn,
                "Principal": PRINCIPALS[trigger.type],
                "SourceAccount": {"Ref": "AWS::AccountId"},
                "SourceArn": _substitute_string(rules),
            },
        }
        action = {"LambdaAction": {"FunctionArn": arn, "InvocationType": trigger.invocation}}
        rule: dict[str, Any] = {
            "Enabled": trigger.enabled,
            "ScanEnabled": trigger.scan,
            "TlsPolicy": trigger.tls,
            "Recipients": list(trigger.recipients),
            "Actions": [action],
        }
        after = {"After": trigger.after} if trigger.after else {}
        self.resources[name] = {
            "Type": "AWS::SES::ReceiptRule",
            "DependsOn": [f"{name}Permission"],
            "Properties": {"RuleSetName": trigger.rule_set, "Rule": rule, **after},
        }


def _optional(function: TemplateFunction) -> Iterator[tuple[str, Any]]:
    """Yield properties for settings that are configured."""
    configuration, settings = function.configuration, function.settings
    vpc = {"SubnetIds": list(settings.subnets or ()), "SecurityGroupIds": list(settings.security_groups or ())}
    concurrency = settings.reserved_concurrency
    values: dict[str, Any] = {
        "Description": function.description,
        "Environment": {"Variables": dict(configuration.environment)} if configuration.environment else None,
        "Tags": dict(settings.tags),
        "Layers": list(settings.layers or ()),
        "Tracing": settings.tracing,
        "VpcConfig": vpc if settings.subnets else None,
        "EphemeralStorage": {"Size": settings.ephemeral_storage} if settings.ephemeral_storage else None,
        "LoggingConfig": {"LogFormat": settings.log_format} if settings.log_format else None,
        "AutoPublishAlias": settings.alias,
    }
    yield from ((key, value) for key, value in values.items() if value)
    if concurrency is not None and concurrency >= 0:
        yield "ReservedConcurrentExecutions", concurrency
    yield from _invocation(function)


def _invocation(function: TemplateFunction) -> Iterator[tuple[str, Any]]:
    settings = function.settings
    asynchronous: dict[str, Any] = {}
    if settings.retries is not None:
        asynchronous["MaximumRetryAttempts"] = settings.retries
    if settings.event_age is not None:
        asynchronous["MaximumEventAgeInSeconds"] = settings.event_age
    destinations = {
        end: {"Type": _DESTINATIONS[arn.split(":")[2]], "Destination": arn}
        for end, arn in (("OnSuccess", settings.on_success), ("OnFailure", settings.on_failure))
        if arn
    }
    if destinations:
        asynchronous["DestinationConfig"] = destinations
    if asynchronous:
        yield "EventInvokeConfig", asynchronous
    if settings.url in AUTHENTICATION:
        url: dict[str, Any] = {"AuthType": AUTHENTICATION[settings.url]}
        if settings.url_mode:
            url["InvokeMode"] = settings.url_mode
        if settings.url_origins:
            url["Cors"] = cors(settings.url_origins)
        yield "FunctionUrlConfig", url


def _pattern_rule(trigger: EventBridgeTrigger) -> dict[str, Any]:
    rule = {"EventBusName": trigger.bus, "Pattern": json.loads(trigger.pattern)}
    if trigger.enabled:
        return _typed("EventBridgeRule", rule)
    return _typed("CloudWatchEvent", rule | {"State": "DISABLED"})  # EventBridgeRule has no state


def _subscription(function: TemplateFunction, trigger: SNSTrigger) -> dict[str, Any]:
    topic: dict[str, Any] = {"Topic": _substitute_string(sources.source_arn(function.target, trigger))}
    if trigger.filter is None:
        return topic
    return topic | {"FilterPolicy": json.loads(trigger.filter), "FilterPolicyScope": trigger.filter_scope}


def _typed(kind: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties}


def _substitute_string(value: str) -> Any:
    return {"Fn::Sub": value} if "${" in value else value


def _substitute(value: Any) -> Any:
    """Apply `Fn::Sub` to all strings of a policy with pseudo parameters."""
    if isinstance(value, dict):
        return {key: _substitute(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_substitute(inner) for inner in value]
    return _substitute_string(value) if isinstance(value, str) else value
