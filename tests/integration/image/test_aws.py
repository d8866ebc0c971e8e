"""boto3 clients made at import call AWS, after a restore, with the credentials of the instance.

The local AWS checks each signature, token and policy, as AWS does.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import textwrap
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
import pytest

from integration.image.lambda_environment import Environment
from integration.image.packages import CaptureHandlers

REGION = "us-east-1"
TRUST = '{"Version": "2012-10-17", "Statement": []}'
POLICY = (
    '{"Version": "2012-10-17", "Statement":'
    ' [{"Effect": "Allow", "Action": ["s3:*", "sqs:*", "dynamodb:*"], "Resource": "*"}]}'
)
SOURCE = textwrap.dedent(
    """
    import os
    import boto3
    from botocore.exceptions import ClientError
    made = {"region_name": "us-east-1", "endpoint_url": "%(url)s"}
    s3, sqs = boto3.client("s3", **made), boto3.client("sqs", **made)
    table = boto3.resource("dynamodb", **made).Table("orders")
    signed_with = []
    def keep(request, **_) -> None:
        token = request.headers["X-Amz-Security-Token"]
        signed_with.append([request.headers["Authorization"].decode(), token.decode()])
    for client in (s3, sqs, table.meta.client):
        client.meta.events.register("before-send", keep)
    def work(event) -> None:
        s3.put_object(Bucket="papers", Key="a", Body=event["text"].encode())
        sqs.send_message(QueueUrl="%(url)s/123456789012/work", MessageBody=event["text"])
        table.put_item(Item={"id": "a", "text": event["text"]})
        (message,) = sqs.receive_message(QueueUrl="%(url)s/123456789012/work")["Messages"]
        sqs.delete_message(QueueUrl="%(url)s/123456789012/work", ReceiptHandle=message["ReceiptHandle"])
        found = s3.get_object(Bucket="papers", Key="a")["Body"].read().decode()
        return [found, message["Body"], table.get_item(Key={"id": "a"})["Item"]["text"]]
    def handler(event, context) -> None:
        os.environ.update(event.get("rotated", {}))
        signed_with.clear()
        try:
            return {"worked": work(event), "signed": signed_with}
        except ClientError as error:
            return {"refused": error.response["Error"]["Code"]}
    """
)
IMPORTS = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")


@dataclass(frozen=True)
class Local:
    """An AWS with a bucket, a queue, a table, and temporary credentials for them."""

    url: str
    sessions: tuple[Mapping[str, str], ...]


@pytest.fixture(scope="module")
def aws() -> Iterator[Local]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_for(url)
            yield Local(url, _set_up(url))
        finally:
            server.kill()


def _wait_for(url: str) -> None:
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"{url}/moto-api/data.json"):
                return
        except OSError:
            time.sleep(0.1)
    msg = "the local AWS does not answer"
    raise AssertionError(msg)


def _set_up(url: str) -> tuple[Mapping[str, str], ...]:
    def client(service: str) -> Any:
        return boto3.client(
            service, region_name=REGION, endpoint_url=url, aws_access_key_id="setup", aws_secret_access_key="setup"
        )

    role = client("iam").create_role(RoleName="function", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    client("iam").put_role_policy(RoleName="function", PolicyName="all", PolicyDocument=POLICY)
    client("s3").create_bucket(Bucket="papers")
    client("sqs").create_queue(QueueName="work")
    client("dynamodb").create_table(
        TableName="orders",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    sessions = []
    for name in ("first", "second"):
        keys = client("sts").assume_role(RoleArn=role, RoleSessionName=name)["Credentials"]
        sessions.append(
            {
                "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
                "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
                "AWS_SESSION_TOKEN": keys["SessionToken"],
            }
        )
    check_all = urllib.request.Request(f"{url}/moto-api/reset-auth", b"0", {"Content-Type": "text/plain"})
    with urllib.request.urlopen(check_all):  # from here on every call is checked
        return tuple(sessions)


def assert_signed_with(answer: Mapping[str, Any], session: Mapping[str, str]) -> None:
    assert answer["signed"], answer
    for authorization, token in answer["signed"]:
        assert f"Credential={session['AWS_ACCESS_KEY_ID']}/" in authorization
        assert token == session["AWS_SESSION_TOKEN"]


def test_clients_made_at_import_work_with_credentials_that_came_after_the_restore(
    captured: CaptureHandlers, run: type[Environment], aws: Local
) -> None:
    package, result = captured(SOURCE % {"url": aws.url}, imports=IMPORTS)
    assert (result.kind, result.reasons) == ("full", ())
    first, second = aws.sessions
    for session in (first, second):
        with run(package, environment=session) as environment:
            answer = environment.invoke({"text": "one"})
            assert answer["worked"] == ["one", "one", "one"]
            assert_signed_with(answer, session)
            assert environment.notices == []
    with run(package, environment=first) as environment:
        assert_signed_with(environment.invoke({"text": "two"}), first)
        rotated = environment.invoke({"text": "three", "rotated": second})
        assert rotated["worked"] == ["three", "three", "three"]
        assert_signed_with(rotated, second)
    with run(package, environment={**first, "AWS_SECRET_ACCESS_KEY": "wrong"}) as environment:
        assert environment.invoke({"text": "four"}) == {"refused": "SignatureDoesNotMatch"}
