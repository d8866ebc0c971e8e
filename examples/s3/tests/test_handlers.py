from pathlib import Path

import msgspec
from handlers import index

from pyl import Context
from pyl.events import S3Event

EVENT = (Path(__file__).parents[1] / "events" / "s3.json").read_bytes()


def test_objects_come_under_their_real_names_and_go():
    assert index(Context(), msgspec.json.decode(EVENT, type=S3Event)) == [
        {"bucket": "example-scans", "key": "incoming/café menu (2024).pdf", "size": 48213, "exists": True},
        {"bucket": "example-scans", "key": "incoming/old.pdf", "size": None, "exists": False},
    ]
