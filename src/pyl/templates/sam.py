"""A template for AWS SAM (CloudFormation with the Serverless transform).

https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification.html
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pyl.deploy.desired_state import statements
from pyl.deploy.policy import policy_document
from pyl.deploy.triggers import sources
from pyl.deploy.triggers.http import api_name
from pyl.deploy.triggers.mappings import mapping_arguments
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
_URL_AUTHENTICATION = {"public": "NONE", "iam": "AWS_IAM"}


def template(project: Project, functions: Sequence[TemplateFunction], folder: Path) -> dict[str, Any]:
    """The template as data; `folder` is where its file will be, from which it names packages."""
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


def text(content: dict[str, Any]) -> str:
    """The template as YAML.

    Raises:
        UsageError: PyYAML is not installed.
    """
    try:
        import yaml
    except ImportError:
        msg = "templates for SAM are YAML, for which PyYAML is missing"
        raise UsageError(msg, hint="pip install 'pyl[deploy]'") from None

    unshared = json.loads(json.dumps(content))  # YAML has anchors for what stands in several places
    written: str = yaml.safe_dump(unshared, sort_keys=False, allow_unicode=True, width=120)
    return written


class _Writer:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.parameters: dict[str, Any] = {}
        self.resources: dict[str, Any] = {}
        self.outputs: dict[str, Any] = {}

    def add(self, function: TemplateFunction) -> None:
        """A function with its triggers."""
        logical_id = identifier(function.name, "Function")
        target, settings = function.target, function.settings
        properties: dict[str, Any] = {
            "FunctionName": target.name,
            "CodeUri": Path(os.path.relpath(function.package, self.folder)).as_posix(),
            "Handler": f"functions.{function.name}",
            "Runtime": function.runtime,
            "Architectures": [function.architecture],
            "MemorySize": function.configuration.memory,
            "Timeout": function.configuration.timeout,
            **dict(_optional(function)),
        }
        if settings.role:
            properties["Role"] = settings.role
        else:
            policy = _substituted(policy_document(statements(target)))
            properties["Policies"] = [*(settings.policies or ()), policy]
        self.resources[logical_id] = {"Type": "AWS::Serverless::Function", "Properties": properties}
        if settings.log_retention:
            group = {"LogGroupName": f"/aws/lambda/{target.name}", "RetentionInDays": settings.log_retention}
            self.resources[f"{logical_id}Logs"] = {"Type": "AWS::Logs::LogGroup", "Properties": group}
            self.resources[logical_id]["DependsOn"] = [f"{logical_id}Logs"]
        events = {}
        for index, trigger in enumerate(function.configuration.triggers, 1):
            event = self._event(function, logical_id, trigger)
            if event is not None:
                events[f"{identifier(trigger.type)}{index}"] = event
        if events:
            properties["Events"] = events
        if settings.url in _URL_AUTHENTICATION:
            self.outputs[f"{logical_id}Url"] = {"Value": {"Fn::GetAtt": [f"{logical_id}Url", "FunctionUrl"]}}

    def _event(self, function: TemplateFunction, logical_id: str, trigger: Trigger) -> dict[str, Any] | None:
        """An entry of the function's `Events`; `None` for what SAM has none for."""
        target = function.target
        match trigger:
            case SQSTrigger():
                source = {"Queue": _sub(sources.queue_arn(target, trigger))}
                return _typed("SQS", source | mapping_arguments(target, trigger))
            case KinesisTrigger():
                source = {"Stream": _sub(sources.stream_arn(target, trigger))}
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
                given = {"Input": trigger.input} if trigger.input is not None else {}
                return _typed("Schedule", {"Schedule": trigger.expression, "Enabled": trigger.enabled, **given})
            case HTTPAPITrigger():
                return _typed("HttpApi", self._route(function, trigger))
            case SESTrigger():
                self._receipt_rule(function, logical_id, trigger)
                return None

    def _table_stream(self, trigger: DynamoDBTrigger) -> Any:
        """Only AWS knows when the stream was switched on, which is part of its ARN."""
        if trigger.table.startswith("arn:"):
            return trigger.table
        parameter = identifier("Table", trigger.table, "StreamArn")
        self.parameters[parameter] = {
            "Type": "String",
            "Description": f"aws dynamodb describe-table --table-name {trigger.table} --query Table.LatestStreamArn",
        }
        return {"Ref": parameter}

    def _notification(self, trigger: S3Trigger) -> dict[str, Any]:
        """CloudFormation sets notifications of buckets in the stack only."""
        bucket = identifier("Bucket", trigger.bucket)
        self.resources[bucket] = {
            "Type": "AWS::S3::Bucket",
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {"BucketName": trigger.bucket},
        }
        rules = [
            {"Name": name, "Value": value}
            for name, value in (("prefix", trigger.prefix), ("suffix", trigger.suffix))
            if value
        ]
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
        rule_set = function.target.arn_of("ses", f"receipt-rule-set/{trigger.rule_set}:receipt-rule/*")
        self.resources[f"{name}Permission"] = {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction",
                "FunctionName": arn,
                "Principal": "ses.amazonaws.com",
                "SourceAccount": {"Ref": "AWS::AccountId"},
                "SourceArn": _sub(rule_set),
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
    """Settings that are only written where configuration has them."""
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
    if settings.url in _URL_AUTHENTICATION:
        url: dict[str, Any] = {"AuthType": _URL_AUTHENTICATION[settings.url]}
        if settings.url_mode:
            url["InvokeMode"] = settings.url_mode
        if settings.url_origins:
            url["Cors"] = {"AllowOrigins": list(settings.url_origins), "AllowMethods": ["*"], "AllowHeaders": ["*"]}
        yield "FunctionUrlConfig", url


def _pattern_rule(trigger: EventBridgeTrigger) -> dict[str, Any]:
    rule = {"EventBusName": trigger.bus, "Pattern": json.loads(trigger.pattern)}
    if trigger.enabled:
        return _typed("EventBridgeRule", rule)
    return _typed("CloudWatchEvent", rule | {"State": "DISABLED"})  # the other kind has no state


def _subscription(function: TemplateFunction, trigger: SNSTrigger) -> dict[str, Any]:
    topic: dict[str, Any] = {"Topic": _sub(sources.topic_arn(function.target, trigger))}
    if trigger.filter is None:
        return topic
    return topic | {"FilterPolicy": json.loads(trigger.filter), "FilterPolicyScope": trigger.filter_scope}


def _typed(kind: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties}


def _sub(value: str) -> Any:
    return {"Fn::Sub": value} if "${" in value else value


def _substituted(value: Any) -> Any:
    """`Fn::Sub` around every text of a policy that names account, region or partition."""
    if isinstance(value, dict):
        return {key: _substituted(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_substituted(inner) for inner in value]
    return _sub(value) if isinstance(value, str) else value
