from pathlib import Path

import msgspec
from pyl import Context
from pyl.batch import BatchResponse
from pyl.events import DynamoDBEvent

from handlers import new_function

EVENT = (Path(__file__).parents[1] / "events" / "dynamodb.json").read_bytes()


def test_every_change_is_told(caplog):
    event = msgspec.json.decode(EVENT, type=DynamoDBEvent)
    assert new_function(Context(), event) == BatchResponse()
    assert len(caplog.messages) == len(event.records)
    assert "MODIFY {'order_id': 'A-1041'}: paid" in caplog.messages
