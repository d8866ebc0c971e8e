import json
from pathlib import Path

import msgspec
from handlers import shop

from pyl import Context
from pyl.events import APIGatewayEvent

EVENT = json.loads((Path(__file__).parents[1] / "events" / "apigateway.json").read_text())


def answer(**changes):
    return shop(Context(), msgspec.convert(EVENT | changes, APIGatewayEvent))


def test_an_order_is_taken():
    response = answer()
    assert response.status_code == 201
    assert json.loads(response.body) == {
        "order_id": "A-1041",
        "items": [{"sku": "MUG-BLUE", "quantity": 2}, {"sku": "TEA-GREEN", "quantity": 1}],
        "notify": ["mail", "sms"],
    }
    assert len(response.multi_value_headers["Set-Cookie"]) == 2


def test_an_order_is_shown():
    response = answer(httpMethod="GET", body=None)
    assert (response.status_code, json.loads(response.body)["status"]) == (200, "packed")


def test_a_body_that_is_no_order_is_the_callers_mistake():
    response = answer(body='{"order_id": "A-1041", "customer": "m", "items": [{"sku": "MUG"}]}')
    assert response.status_code == 400
    assert "missing required field `quantity` - at `$.items[0]`" in json.loads(response.body)["detail"]
    assert answer(body="{").status_code == 400


def test_an_order_of_another_id_is_a_conflict():
    assert answer(pathParameters={"order_id": "B-2"}).status_code == 409
