from pathlib import Path

import msgspec
from pyl import Context
from pyl.events import EventBridgeEvent

from handlers import new_function

EVENT = (Path(__file__).parents[1] / "events" / "schedule.json").read_bytes()


def test_what_is_due_is_done(caplog):
    event = msgspec.json.decode(EVENT, type=EventBridgeEvent)
    assert new_function(Context(), event) == {"done_for": "2024-10-29"}
    assert caplog.messages == ["due at 2024-10-29T06:00:00+00:00"]
