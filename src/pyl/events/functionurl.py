"""Events of function URLs.

They have the form of HTTP API requests (payload format 2.0), without routes and stages of the user's.

https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
"""

from __future__ import annotations

from pyl.events.httpapi import HTTPAPIEvent


class FunctionURLEvent(HTTPAPIEvent, frozen=True, kw_only=True):
    """Request to a function URL.

    `request_context.authorizer.iam` describes the caller, unless the URL is public.
    """
