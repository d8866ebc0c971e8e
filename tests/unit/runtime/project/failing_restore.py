"""Cannot be restored from a process image."""

from pyl import after_restore


@after_restore
def reconnect():
    int("größe")


def handler(event, context):
    return event
