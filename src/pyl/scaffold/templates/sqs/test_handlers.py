import json
from pathlib import Path

import msgspec
from pyl import Context
from pyl.batch import BatchResponse
from pyl.events import SQSEvent

from handlers import new_function

EVENT = json.loads((Path(__file__).parents[1] / "events" / "sqs.json").read_text())


def test_every_message_is_handled(caplog):
    assert new_function(Context(), msgspec.convert(EVENT, SQSEvent)) == BatchResponse()
    assert caplog.messages == ["order A-1041 has 3 items", "order A-1042 has 1 items"]


def test_only_a_message_that_fails_comes_again():
    broken = {**EVENT["Records"][0], "messageId": "broken", "body": "no order"}
    event = msgspec.convert({"Records": [broken, EVENT["Records"][1]]}, SQSEvent)
    assert new_function(Context(), event) == BatchResponse.of("broken")
