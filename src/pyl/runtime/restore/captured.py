"""Tells a captured process from one that serves."""

from __future__ import annotations

import os

from pyl.lambda_environment import PROCESS_ID_LIMIT


def is_captured_process() -> bool:
    """Return whether this process is being captured: only then process ids are so large."""
    return os.getpid() >= PROCESS_ID_LIMIT
