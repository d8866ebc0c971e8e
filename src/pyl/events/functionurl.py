"""What a function URL sends to its function: an HTTP API's request without routes and stages.

Source: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
"""

from __future__ import annotations

from pyl.events.httpapi import HTTPAPIEvent


class FunctionURLEvent(HTTPAPIEvent, frozen=True, kw_only=True):
    """A request. `request_context.authorizer.iam` names the caller, unless the URL is public."""
