from __future__ import annotations

import json
from datetime import UTC, datetime

import msgspec
import pytest

from pyl.events import S3Event, S3Object, samples


def event() -> S3Event:
    return msgspec.json.decode(samples.load("s3"), type=S3Event)


@pytest.mark.parametrize(
    ("encoded", "key"),
    [
        ("plain/key.txt", "plain/key.txt"),
        ("with+space.txt", "with space.txt"),
        ("a%2Bb.txt", "a+b.txt"),
        ("100%25.txt", "100%.txt"),
        ("caf%C3%A9.pdf", "café.pdf"),
        ("%E6%96%87%E4%BB%B6+1.txt", "文件 1.txt"),
    ],
)
def test_the_key_is_the_name_of_the_object(encoded: str, key: str) -> None:
    thing = S3Object(encoded_key=encoded)
    assert thing.key == key
    assert thing.encoded_key == encoded


def test_a_deleted_object_has_neither_size_nor_tag() -> None:
    deleted = event().records[1].s3.object
    assert deleted.key == "incoming/old.pdf"
    assert (deleted.size, deleted.e_tag, deleted.version_id) == (None, None, None)


def test_the_new_object_arrives_whole() -> None:
    record = event().records[0]
    assert record.event_time == datetime(2024, 10, 29, 10, 12, 31, 482000, tzinfo=UTC)
    assert record.s3.object.key == "incoming/café menu (2024).pdf"
    assert record.s3.object.e_tag == "c1d5f2a09b3e47d8861f4a7b90ce2d35"
    assert record.s3.bucket.owner_identity.principal_id == "A3EXAMPLEOWNER"
    assert record.request_parameters.source_ip_address == "203.0.113.24"
    assert record.response_elements.request_id == "7Q3M9K1V5T2R8XWB"


def test_a_restored_object_says_until_when() -> None:
    raw = json.loads(samples.load("s3"))
    raw["Records"][0] |= {
        "eventName": "ObjectRestore:Completed",
        "glacierEventData": {
            "restoreEventData": {
                "lifecycleRestorationExpiryTime": "2024-11-30T00:00:00.000Z",
                "lifecycleRestoreStorageClass": "GLACIER",
            }
        },
    }
    del raw["Records"][0]["s3"]["object"]["sequencer"]
    record = msgspec.convert(raw, S3Event).records[0]
    assert record.glacier_event_data is not None
    assert record.glacier_event_data.restore_event_data.lifecycle_restoration_expiry_time.day == 30
    assert event().records[0].glacier_event_data is None
