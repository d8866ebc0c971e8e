"""A REST API: `PUT /orders/{order_id}` and `GET /orders/{order_id}`."""

from __future__ import annotations

from typing import Any

import msgspec

from pyl import Context, function
from pyl.events import APIGatewayEvent
from pyl.responses import APIGatewayResponse


class Item(msgspec.Struct):
    sku: str
    quantity: int


class Order(msgspec.Struct):
    order_id: str
    customer: str
    items: list[Item]


@function
def shop(context: Context, event: APIGatewayEvent) -> APIGatewayResponse:
    """Answer one request."""
    order_id = event.path_parameter("order_id")
    if event.http_method == "GET":
        return APIGatewayResponse(body={"order_id": order_id, "status": "packed"})
    try:
        order = event.decode(Order)
    except msgspec.MsgspecError as error:
        return problem(400, str(error))
    if order.order_id != order_id:
        return problem(409, f"the path names order {order_id}, the body {order.order_id}")
    return APIGatewayResponse(
        status_code=201,
        multi_value_headers={"Set-Cookie": ["seen=1; Secure", f"order={order_id}; Secure"]},
        body={"order_id": order_id, "items": order.items, "notify": event.query_values("notify")},
    )


def problem(status: int, detail: str) -> APIGatewayResponse:
    body: dict[str, Any] = {"status": status, "detail": detail}
    return APIGatewayResponse(status_code=status, headers={"content-type": "application/problem+json"}, body=body)
