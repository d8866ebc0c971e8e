"""The ARNs of what triggers listen to, and what to say when it does not exist: pyl wires sources, it makes none."""

from __future__ import annotations

from typing import NoReturn

from pyl.deploy.aws import AWS, none_if_absent
from pyl.deploy.target import Target
from pyl.errors import AWSError
from pyl.project.config.triggers import DynamoDBTrigger, KinesisTrigger, SNSTrigger, SQSTrigger


def queue_arn(target: Target, trigger: SQSTrigger) -> str:
    """Of the queue, in the function's account and region unless it says where."""
    return _arn(trigger.queue) or target.arn_of("sqs", trigger.queue)


def stream_arn(target: Target, trigger: KinesisTrigger) -> str:
    """Of the data stream."""
    return _arn(trigger.stream) or target.arn_of("kinesis", f"stream/{trigger.stream}")


def topic_arn(target: Target, trigger: SNSTrigger) -> str:
    """Of the topic."""
    return _arn(trigger.topic) or target.arn_of("sns", trigger.topic)


def table_stream_arn(target: Target, trigger: DynamoDBTrigger) -> str:
    """Of the table's stream; with `*` for the time when it was switched on, which only AWS knows."""
    return _arn(trigger.table) or target.arn_of("dynamodb", f"table/{trigger.table}/stream/*")


def check_queue(aws: AWS, target: Target, trigger: SQSTrigger) -> str:
    """ARN of a queue that is there, and that hides messages for as long as the function may take.

    Raises:
        AWSError: it is not; Lambda would refuse to read it.
    """
    arn, client = queue_arn(target, trigger), aws.client("sqs")
    account, name = arn.split(":")[4:6]
    answer = none_if_absent(
        lambda: client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account),
        "AWS.SimpleQueueService.NonExistentQueue",
        "QueueDoesNotExist",
    )
    if answer is None:
        fifo = " --attributes FifoQueue=true" if name.endswith(".fifo") else ""
        _raise_absent(
            target, f"queue {name}", f"aws sqs create-queue --queue-name {name}{fifo} --region {target.region}"
        )
    attributes = client.get_queue_attributes(QueueUrl=answer["QueueUrl"], AttributeNames=["VisibilityTimeout"])
    hidden, timeout = int(attributes["Attributes"]["VisibilityTimeout"]), target.function.configuration.timeout
    if hidden < timeout:
        msg = (
            f"the queue {name} hides a message for {hidden} s, and the function {target.name} may take {timeout} s:"
            " messages would be handled twice"
        )
        raise AWSError(
            msg,
            hint=f"aws sqs set-queue-attributes --queue-url {answer['QueueUrl']}"
            f" --attributes VisibilityTimeout={min(timeout * 6, 43_200)} --region {target.region}",
        )
    return arn


def find_table_stream(aws: AWS, target: Target, trigger: DynamoDBTrigger) -> str:
    """ARN of the stream that is on.

    Raises:
        AWSError: there is no such table, or its stream is off.
    """
    if given := _arn(trigger.table):
        return given
    answer = none_if_absent(lambda: aws.client("dynamodb").describe_table(TableName=trigger.table))
    if answer is None:
        _raise_absent(target, f"table {trigger.table}", "make it with `aws dynamodb create-table`")
    table = answer["Table"]
    if not (table.get("StreamSpecification") or {}).get("StreamEnabled") or "LatestStreamArn" not in table:
        msg = f"the table {trigger.table}, a trigger of {target.function.name}, has no stream"
        raise AWSError(
            msg,
            hint=f"aws dynamodb update-table --table-name {trigger.table} --stream-specification"
            f" StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES --region {target.region}",
        )
    arn: str = table["LatestStreamArn"]
    return arn


def check_stream(aws: AWS, target: Target, trigger: KinesisTrigger) -> str:
    """ARN of a data stream that is there.

    Raises:
        AWSError: it is not.
    """
    arn = stream_arn(target, trigger)
    stream = arn.partition("/consumer/")[0]
    answer = none_if_absent(lambda: aws.client("kinesis").describe_stream_summary(StreamARN=stream))
    if answer is None:
        command = f"aws kinesis create-stream --stream-name {stream.rpartition('/')[2]} --region {target.region}"
        _raise_absent(target, f"stream {trigger.stream}", command)
    return arn


def _raise_absent(target: Target, source: str, hint: str) -> NoReturn:
    msg = f"there is no {source} in {target.region}, which is a trigger of {target.function.name}"
    raise AWSError(msg, hint=hint)


def _arn(text: str) -> str | None:
    return text if text.startswith("arn:") else None
