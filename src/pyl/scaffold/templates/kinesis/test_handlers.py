import json
from pathlib import Path

import msgspec
from pyl import Context
from pyl.batch import BatchResponse
from pyl.events import KinesisEvent

from handlers import new_function

EVENT = json.loads((Path(__file__).parents[1] / "events" / "kinesis.json").read_text())


def test_a_visit_is_told(caplog):
    event = msgspec.convert({"Records": EVENT["Records"][:1]}, KinesisEvent)
    assert new_function(Context(), event) == BatchResponse()
    assert caplog.messages == ["/tea was seen for 420 ms"]


def test_lambda_delivers_again_from_the_failed_record():
    event = msgspec.convert(EVENT, KinesisEvent)  # the second record holds no visit
    failed = event.records[1].kinesis.sequence_number
    assert new_function(Context(), event) == BatchResponse.of(failed)
