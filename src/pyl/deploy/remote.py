"""Invocation of functions in AWS."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass

from pyl.deploy.aws import AWS


@dataclass(frozen=True, kw_only=True)
class RemoteOutcome:
    """Result of an invocation."""

    payload: bytes
    """Empty if the invocation was asynchronous."""
    error: str | None
    """Type of the error; `None` if the function returned."""
    log: str
    """The last 4 KB of the log, if requested."""
    request_id: str
    version: str


def invoke(
    aws: AWS, name: str, event: bytes, *, qualifier: str | None = None, wait: bool = True, tail: bool = False
) -> RemoteOutcome:
    """Invoke a function in AWS.

    Args:
        aws: The account and region.
        name: Name of the function in AWS.
        event: The event as JSON.
        qualifier: Version or alias.
        wait: Whether to wait for the result; otherwise the invocation is asynchronous.
        tail: Whether to request the end of the log.

    Raises:
        AWSError: AWS refused the invocation, or could not be reached.
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
