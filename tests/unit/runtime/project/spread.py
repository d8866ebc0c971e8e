"""Tells which process it is, and which one imported it."""

import os
import random

IMPORTED_BY = os.getpid()
GENERATOR = random.Random()


def handler(event, context):
    if isinstance(event, dict):
        os._exit(event["exit"])
    return {"event": event, "process": os.getpid(), "imported by": IMPORTED_BY, "random": GENERATOR.random()}
