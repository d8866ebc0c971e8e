"""What an Application Load Balancer sends to a function.

Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
"""

from __future__ import annotations

from msgspec import Struct

from pyl.events.request import MultiValueRequest


class ALBTarget(Struct, frozen=True, kw_only=True, rename="camel"):
    target_group_arn: str


class ALBRequestContext(Struct, frozen=True, kw_only=True, rename="camel"):
    elb: ALBTarget


class ALBEvent(MultiValueRequest, frozen=True, kw_only=True):
    """A request, with multi-value headers and parameters instead of single ones if the target group says so.

    The load balancer does not decode query parameters: the fields hold them as sent, the methods decode them.
    """

    request_context: ALBRequestContext

    def query_values(self, name: str) -> list[str]:
        """Every query parameter of that name, decoded, in the order sent."""
        from urllib.parse import unquote_plus  # it costs milliseconds that most functions need not pay

        lists = self.multi_value_query_string_parameters
        if lists is None:
            lists = {key: [value] for key, value in (self.query_string_parameters or {}).items()}
        return [unquote_plus(value) for key, values in lists.items() if unquote_plus(key) == name for value in values]
