"""Invokes functions in AWS."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass

from pyl.deploy.aws import AWS


@dataclass(frozen=True, kw_only=True)
class RemoteOutcome:
    """What AWS answered."""

    payload: bytes
    """Empty when nobody waited."""
    error: str | None
    """The error type, None when the function returned."""
    log: str
    """The log's last 4 KB, if they were asked for."""
    request_id: str
    version: str


def invoke(
    aws: AWS, name: str, event: bytes, *, qualifier: str | None = None, wait: bool = True, tail: bool = False
) -> RemoteOutcome:
    """Invoke the function called `name` in AWS; without `wait`, leave the event in its queue.

    Raises `AWSError`.
    """
    arguments = {"Qualifier": qualifier} if qualifier else {}
    with aws.errors(f"invoke {name}"):
        answer = aws.client("lambda").invoke(
            FunctionName=name,
            Payload=event,
            InvocationType="RequestResponse" if wait else "Event",
            LogType="Tail" if tail and wait else "None",
            **arguments,
        )
        with answer["Payload"] as body:
            payload: bytes = body.read()
    return RemoteOutcome(
        payload=payload,
        error=_error_type(payload) if answer.get("FunctionError") else None,
        log=base64.b64decode(answer.get("LogResult", "")).decode("utf-8", "replace"),
        request_id=answer["ResponseMetadata"].get("RequestId", ""),
        version=answer.get("ExecutedVersion", "$LATEST"),
    )


def _error_type(payload: bytes) -> str:
    try:
        return str(json.loads(payload)["errorType"])
    except (ValueError, KeyError, TypeError):
        return "Unhandled"
