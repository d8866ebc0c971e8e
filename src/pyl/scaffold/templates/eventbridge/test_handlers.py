from pathlib import Path

import msgspec
from pyl import Context
from pyl.events import EventBridgeEvent

from handlers import new_function

EVENT = (Path(__file__).parents[1] / "events" / "eventbridge.json").read_bytes()


def test_an_order_is_noted(caplog):
    event = msgspec.json.decode(EVENT, type=EventBridgeEvent)
    assert new_function(Context(), event) == {"handled": "A-1041"}
    assert caplog.messages == ["Order Placed from example.shop: A-1041 over 31.70"]
