import json
from pathlib import Path

import msgspec
from handlers import fulfil, notify

from pyl import Context
from pyl.batch import BatchResponse
from pyl.events import SQSEvent

EVENT = json.loads((Path(__file__).parents[1] / "events" / "sqs.json").read_text())


def test_every_body_is_handled():
    bodies = [record["body"] for record in EVENT["Records"]]
    assert notify(Context(), msgspec.convert(EVENT, SQSEvent)) == {"handled": bodies}


def test_every_order_is_packed(caplog):
    assert fulfil(Context(), msgspec.convert(EVENT, SQSEvent)) == BatchResponse()
    assert caplog.messages == ["packing A-1041: 2 x MUG-BLUE, 1 x TEA-GREEN", "packing A-1042: 1 x POT-CLAY"]


def test_only_a_message_that_is_no_order_comes_again():
    broken = {**EVENT["Records"][0], "messageId": "broken", "body": "not an order"}
    event = msgspec.convert({"Records": [broken, EVENT["Records"][1]]}, SQSEvent)
    assert fulfil(Context(), event) == BatchResponse.of("broken")
