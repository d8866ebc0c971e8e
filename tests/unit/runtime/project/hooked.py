"""Registers hooks with pyl and with AWS's module."""

import snapshot_restore_py

from pyl import after_restore, before_image

SEEN = []

before_image(lambda: SEEN.append("second"))
before_image(lambda: SEEN.append("first"))


@after_restore
def reopen():
    SEEN.append("restored")


@snapshot_restore_py.register_before_snapshot
def before():
    SEEN.append("before")


@snapshot_restore_py.register_after_restore
def after():
    SEEN.append("library restored")


def handler(event, context):
    return SEEN
