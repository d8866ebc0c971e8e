"""Functions that need files, metadata and modules of their own package."""

from __future__ import annotations

import asyncio
import importlib.metadata
import importlib.resources
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from spaced.deep import module

from pyl import Context, function

from . import inner  # noqa: TID252 - what is tested

CERTIFI = importlib.metadata.version("certifi")
LETTER = Path(__file__).with_name("letter.txt").read_text()
TALLINN = ZoneInfo("Europe/Tallinn")


@function
def data(context: Context, event):
    from_working_directory = Path("kitchen/letter.txt").read_text()
    resource = (importlib.resources.files("kitchen") / "letter.txt").read_text()
    return {"beside": LETTER, "working directory": from_working_directory, "resource": resource}


@function
def metadata(context: Context, event):
    return {
        "at import": CERTIFI,
        "in the call": importlib.metadata.version("certifi"),
        "plugins": [point.name for point in importlib.metadata.entry_points(group="pytest11")],
    }


@function
def zone(context: Context, event):
    return datetime(2024, 7, 1, 12, tzinfo=TALLINN).isoformat()


@function
def imports(context: Context, event):
    return [inner.NAME, inner.spoon(), module.WHERE]


@function
async def waits(context: Context, event):
    await asyncio.sleep(0.001)
    return await asyncio.to_thread(lambda: "waited")
