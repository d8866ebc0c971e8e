"""Requests from a load balancer: a `POST` takes a note."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import msgspec
from pyl import Context, function
from pyl.events import ALBEvent


@dataclass
class Note:
    title: str
    text: str = ""


@function
def new_function(context: Context, event: ALBEvent) -> dict[str, Any]:
    """Take a note."""
    try:
        note = event.decode(Note)
    except msgspec.MsgspecError as error:
        return answer(400, {"detail": str(error)})
    return answer(201, {"title": note.title, "words": len(note.text.split())})


def answer(status: int, body: object) -> dict[str, Any]:
    """What a load balancer takes for a response."""
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json"},
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }
