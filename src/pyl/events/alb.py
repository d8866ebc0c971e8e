"""Events of Application Load Balancers.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
"""

from __future__ import annotations

from msgspec import Struct

from pyl.events.request import MultiValueRequest


class ALBTarget(Struct, frozen=True, kw_only=True, rename="camel"):
    """Load balancer that sent the request."""

    target_group_arn: str
    """ARN of the target group."""


class ALBRequestContext(Struct, frozen=True, kw_only=True, rename="camel"):
    """What the load balancer knows about the request."""

    elb: ALBTarget
    """The load balancer."""


class ALBEvent(MultiValueRequest, frozen=True, kw_only=True):
    """Request that a load balancer forwards.

    It has multi-value headers and query parameters instead of single ones if the target group is configured for them.
    The load balancer does not decode query parameters: the fields hold them as sent, the methods decode them.
    """

    request_context: ALBRequestContext
    """What the load balancer knows about the request."""

    def query_values(self, name: str) -> list[str]:
        """Return all values of a query parameter, decoded, in the order sent."""
        from urllib.parse import unquote_plus  # it costs milliseconds that most functions need not pay

        lists = self.multi_value_query_string_parameters
        if lists is None:
            lists = {key: [value] for key, value in (self.query_string_parameters or {}).items()}
        return [unquote_plus(value) for key, values in lists.items() if unquote_plus(key) == name for value in values]
