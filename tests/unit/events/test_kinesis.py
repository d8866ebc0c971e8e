from __future__ import annotations

import json
from datetime import UTC, datetime

import msgspec
import pytest

from pyl.events import KinesisEvent, samples


class Click(msgspec.Struct):
    page: str
    ms: int


def event() -> KinesisEvent:
    return msgspec.json.decode(samples.load("kinesis"), type=KinesisEvent)


def test_the_data_is_what_the_producer_put_in() -> None:
    first, second = event().records
    assert first.kinesis.data == b'{"page":"/tea","ms":420}'
    assert second.kinesis.data == b"\x1f\x8b\x00\xff not JSON"


def test_the_data_decodes() -> None:
    payload = event().records[0].kinesis
    assert payload.decode(Click) == Click("/tea", 420)
    assert payload.json() == {"page": "/tea", "ms": 420}


def test_the_arrival_is_a_datetime() -> None:
    assert event().records[0].kinesis.arrived_at == datetime(2024, 10, 29, 10, 13, 32, 318000, tzinfo=UTC)


def test_data_that_is_no_base64_is_refused_with_its_place() -> None:
    raw = json.loads(samples.load("kinesis"))
    raw["Records"][1]["kinesis"]["data"] = "not base64!"
    place = r"base64.*\$\.Records\[1\]\.kinesis\.data"
    with pytest.raises(msgspec.ValidationError, match=place):
        msgspec.convert(raw, KinesisEvent)
    with pytest.raises(msgspec.ValidationError, match=place):
        msgspec.json.decode(json.dumps(raw), type=KinesisEvent)
