"""Says goodbye when Lambda ends the environment."""

import asyncio
import os
import signal

from pyl import before_shutdown

if os.environ.get("OWN_HANDLER"):
    signal.signal(signal.SIGTERM, lambda *_: print("own handler", flush=True))


@before_shutdown
def last():
    print("last hook")


@before_shutdown
async def asynchronous():
    await asyncio.sleep(0)
    print("asynchronous hook")


@before_shutdown
def failing():
    int("größe")


def handler(event, context):
    if event == "wait":
        print("waiting", flush=True)
        try:
            signal.pause()
        finally:
            print("cleaned up")
    return os.getpid()
