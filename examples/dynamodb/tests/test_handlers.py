from datetime import UTC, datetime
from pathlib import Path

import msgspec
from handlers import audit

from pyl import Context
from pyl.events import DynamoDBEvent

EVENT = (Path(__file__).parents[1] / "events" / "dynamodb.json").read_bytes()


def test_the_changes_of_an_order_are_told():
    placed, paid, gone = audit(Context(), msgspec.json.decode(EVENT, type=DynamoDBEvent))
    assert placed["what"] == "INSERT"
    assert "total" in placed["attributes"]
    assert paid == {
        "key": {"order_id": "A-1041"},
        "what": "MODIFY",
        "when": datetime(2024, 10, 29, 10, 12, 31, tzinfo=UTC),
        "attributes": ["paid"],
    }
    assert gone["what"] == "EXPIRE"
