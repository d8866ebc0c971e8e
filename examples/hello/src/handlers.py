"""Functions that are invoked directly, with any JSON."""

from __future__ import annotations

import logging
from typing import Any

from pyl import Context, function

logger = logging.getLogger("context")
logger.setLevel(logging.INFO)


@function
def hello(context: Context, event: Any) -> Any:
    """Return the input."""
    return event


@function(name="context")
def describe(context: Context, event: Any) -> dict[str, Any]:
    """Log the input, and return what the function knows of its invocation."""
    logger.info("invoked with %s", event)
    return {
        "request_id": context.aws_request_id,
        "deadline_ms": context.deadline_ms,
        "invoked_function_arn": context.invoked_function_arn,
        "trace_id": context.trace_id,
        "remaining_time_ms": context.get_remaining_time_in_millis(),
        "function_name": context.function_name,
        "function_version": context.function_version,
        "memory_limit_in_mb": context.memory_limit_in_mb,
    }
