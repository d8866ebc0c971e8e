from pathlib import Path

import msgspec
from pyl import Context
from pyl.events import SNSEvent

from handlers import new_function

EVENT = (Path(__file__).parents[1] / "events" / "sns.json").read_bytes()


def test_every_message_is_handled(caplog):
    event = msgspec.json.decode(EVENT, type=SNSEvent)
    assert new_function(Context(), event) == {"handled": 1}
    assert caplog.messages == ["order A-1041 went by Example Post"]
