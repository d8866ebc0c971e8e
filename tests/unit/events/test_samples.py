from __future__ import annotations

import json
import re

import pytest

from pyl.errors import UsageError
from pyl.events import EVENTS, samples


def test_every_source_has_a_sample() -> None:
    assert samples.names() == sorted(EVENTS)
    for name in samples.names():
        assert isinstance(json.loads(samples.load(name)), dict)


def test_samples_name_no_account_but_the_fake_one() -> None:
    for name in samples.names():
        accounts = set(re.findall(r"arn:aws:[^:]*:[^:]*:(\d+):", samples.load(name).decode()))
        assert accounts <= {"123456789012"}


def test_an_unknown_sample_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(UsageError, match="no sample event 'kinessis'") as caught:
        samples.load("kinessis")
    assert caught.value.hint == "did you mean 'kinesis'?"


def test_a_name_like_none_is_answered_with_all_of_them() -> None:
    with pytest.raises(UsageError) as caught:
        samples.load("../../etc/passwd")
    assert caught.value.hint is not None
    assert "alb, apigateway" in caught.value.hint
