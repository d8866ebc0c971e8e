import json
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import handlers
import pydantic
import pytest
from handlers import Order, order

from pyl import Context

EVENT = json.loads((Path(__file__).parents[1] / "events" / "order.json").read_text())


def test_an_order_is_answered_with_a_place_for_its_papers():
    receipt = order(Context(), Order.model_validate(EVENT))
    assert receipt.total == Decimal("31.70")
    url = urlsplit(receipt.upload_url)
    assert (url.scheme, url.netloc, url.path) == ("https", "example-orders.s3.amazonaws.com", "/A-1041/papers.pdf")
    query = parse_qs(url.query)
    assert query["X-Amz-Credential"][0].startswith("AKIAEXAMPLE/")
    assert query["X-Amz-Credential"][0].endswith("/us-east-1/s3/aws4_request")
    assert query["X-Amz-Security-Token"] == ["example-token"]


@pytest.mark.parametrize("changes", [{"items": []}, {"customer": "nobody"}, {"order_id": "41"}])
def test_a_wrong_order_is_refused(changes):
    with pytest.raises(pydantic.ValidationError):
        Order.model_validate(EVENT | changes)


def test_the_warehouse_is_told_when_there_is_one(monkeypatch):
    told = []

    class Answer:
        def raise_for_status(self):
            pass

    def post(url, **arguments):
        told.append((url, arguments["json"]["order_id"]))
        return Answer()

    monkeypatch.setenv("WAREHOUSE_URL", "https://warehouse.example.com/orders")
    monkeypatch.setattr(handlers.session, "post", post)
    order(Context(), Order.model_validate(EVENT))
    assert told == [("https://warehouse.example.com/orders", "A-1041")]
