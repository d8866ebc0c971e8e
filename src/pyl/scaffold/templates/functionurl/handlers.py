"""Requests to a function URL: a `POST` takes a note."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
from pyl import Context, function
from pyl.events import FunctionURLEvent
from pyl.responses import FunctionURLResponse


@dataclass
class Note:
    title: str
    text: str = ""


@function
def new_function(context: Context, event: FunctionURLEvent) -> FunctionURLResponse:
    """Take a note."""
    try:
        note = event.decode(Note)
    except msgspec.MsgspecError as error:
        return FunctionURLResponse(status_code=400, body={"detail": str(error)})
    return FunctionURLResponse(
        status_code=201, body={"title": note.title, "words": len(note.text.split())}
    )
