from pathlib import Path

import msgspec
from pyl import Context
from pyl.events import S3Event

from handlers import new_function

EVENT = (Path(__file__).parents[1] / "events" / "s3.json").read_bytes()


def test_objects_are_told_by_their_real_names(caplog):
    event = msgspec.json.decode(EVENT, type=S3Event)
    assert new_function(Context(), event) == {"handled": 2}
    assert caplog.messages == [
        "s3://example-scans/incoming/café menu (2024).pdf came",
        "s3://example-scans/incoming/old.pdf went",
    ]
