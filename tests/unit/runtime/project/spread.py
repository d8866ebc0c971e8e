"""Tells which process it is."""

import os
import random
import time

GENERATOR = random.Random()


def handler(event, context):
    if isinstance(event, dict):
        if event.get("leave a child") and os.fork() == 0:
            time.sleep(60)
        os._exit(event["exit"])
    return {"event": event, "process": os.getpid(), "random": GENERATOR.random()}
