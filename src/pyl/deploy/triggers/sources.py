"""ARNs of the sources of triggers, and errors if they do not exist: pyl does not create sources."""

from __future__ import annotations

from typing import NoReturn

from pyl.deploy.aws import AWS, none_if_absent
from pyl.deploy.target import Target
from pyl.errors import AWSError
from pyl.project.config.triggers import DynamoDBTrigger, KinesisTrigger, S3Trigger, SESTrigger, SNSTrigger, SQSTrigger


def source_arn(target: Target, trigger: SQSTrigger | DynamoDBTrigger | KinesisTrigger | S3Trigger | SNSTrigger) -> str:
    """Return the ARN of the source, by default in the function's account and region.

    That of a table's stream has `*` for its timestamp, which only AWS knows.
    """
    match trigger:
        case SQSTrigger():
            return _arn(trigger.queue) or target.arn_of("sqs", trigger.queue)
        case DynamoDBTrigger():
            return _arn(trigger.table) or target.arn_of("dynamodb", f"table/{trigger.table}/stream/*")
        case KinesisTrigger():
            return _arn(trigger.stream) or target.arn_of("kinesis", f"stream/{trigger.stream}")
        case S3Trigger():
            return f"arn:{target.partition}:s3:::{trigger.bucket}"
        case SNSTrigger():
            return _arn(trigger.topic) or target.arn_of("sns", trigger.topic)


def receipt_rule_arn(target: Target, trigger: SESTrigger, rule: str) -> str:
    """Return the ARN of a rule in the rule set."""
    return target.arn_of("ses", f"receipt-rule-set/{trigger.rule_set}:receipt-rule/{rule}")


def check_queue(aws: AWS, target: Target, trigger: SQSTrigger) -> str:
    """Return the ARN of the queue.

    Raises:
        AWSError: The queue does not exist, or its visibility timeout is shorter than the function's timeout, which
            Lambda does not accept.
    """
    arn, client = source_arn(target, trigger), aws.client("sqs")
    account, name = arn.split(":")[4:6]
    answer = none_if_absent(
        lambda: client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account),
        "AWS.SimpleQueueService.NonExistentQueue",
        "QueueDoesNotExist",
    )
    if answer is None:
        fifo = " --attributes FifoQueue=true" if name.endswith(".fifo") else ""
        command = f"aws sqs create-queue --queue-name {name}{fifo} --region {target.region}"
        _raise_absent(target, f"queue {name}", command)
    attributes = client.get_queue_attributes(QueueUrl=answer["QueueUrl"], AttributeNames=["VisibilityTimeout"])
    visibility, timeout = int(attributes["Attributes"]["VisibilityTimeout"]), target.function.configuration.timeout
    if visibility < timeout:
        msg = (
            f"the visibility timeout of the queue {name} is {visibility} s, but the timeout of the function"
            f" {target.name} is {timeout} s: messages would be processed twice"
        )
        raise AWSError(
            msg,
            hint=f"aws sqs set-queue-attributes --queue-url {answer['QueueUrl']}"
            f" --attributes VisibilityTimeout={min(timeout * 6, 43_200)} --region {target.region}",
        )
    return arn


def find_table_stream(aws: AWS, target: Target, trigger: DynamoDBTrigger) -> str:
    """Return the ARN of the table's active stream.

    Raises:
        AWSError: The table does not exist, or its stream is disabled.
    """
    if arn := _arn(trigger.table):
        return arn
    answer = none_if_absent(lambda: aws.client("dynamodb").describe_table(TableName=trigger.table))
    if answer is None:
        _raise_absent(target, f"table {trigger.table}", "create it with `aws dynamodb create-table`")
    table = answer["Table"]
    if not (table.get("StreamSpecification") or {}).get("StreamEnabled") or "LatestStreamArn" not in table:
        msg = f"the table {trigger.table}, a trigger of {target.function.name}, has no stream"
        raise AWSError(
            msg,
            hint=f"aws dynamodb update-table --table-name {trigger.table} --stream-specification"
            f" StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES --region {target.region}",
        )
    return str(table["LatestStreamArn"])


def check_stream(aws: AWS, target: Target, trigger: KinesisTrigger) -> str:
    """Return the ARN of the data stream.

    Raises:
        AWSError: The stream does not exist.
    """
    arn = source_arn(target, trigger)
    stream = arn.partition("/consumer/")[0]
    answer = none_if_absent(lambda: aws.client("kinesis").describe_stream_summary(StreamARN=stream))
    if answer is None:
        command = f"aws kinesis create-stream --stream-name {stream.rpartition('/')[2]} --region {target.region}"
        _raise_absent(target, f"stream {trigger.stream}", command)
    return arn


def _raise_absent(target: Target, source: str, hint: str) -> NoReturn:
    msg = f"the {source}, a trigger of {target.function.name}, does not exist in {target.region}"
    raise AWSError(msg, hint=hint)


def _arn(text: str) -> str | None:
    return text if text.startswith("arn:") else None
