"""Tells which process it is, and which one imported it."""

import os
import random
import time

IMPORTED_BY = os.getpid()
GENERATOR = random.Random()


def handler(event, context):
    if isinstance(event, dict):
        if event.get("leave a child") and os.fork() == 0:
            time.sleep(60)
        os._exit(event["exit"])
    return {"event": event, "process": os.getpid(), "imported by": IMPORTED_BY, "random": GENERATOR.random()}
