"""Requests to an HTTP API: `POST /notes` takes a note."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
from pyl import Context, function
from pyl.events import HTTPAPIEvent
from pyl.responses import HTTPAPIResponse


@dataclass
class Note:
    title: str
    text: str = ""


@function
def new_function(context: Context, event: HTTPAPIEvent) -> HTTPAPIResponse:
    """Take a note."""
    try:
        note = event.decode(Note)
    except msgspec.MsgspecError as error:
        return HTTPAPIResponse(status_code=400, body={"detail": str(error)})
    return HTTPAPIResponse(
        status_code=201, body={"title": note.title, "words": len(note.text.split())}
    )
