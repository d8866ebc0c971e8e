import json
import time
from pathlib import Path

from handlers import describe, hello

from pyl import Context

EVENT = json.loads((Path(__file__).parents[1] / "events" / "hello.json").read_text())


def test_hello_returns_its_input():
    assert hello(Context(), EVENT) == EVENT


def test_the_context_is_returned_field_by_field(caplog):
    arn = "arn:aws:lambda:us-east-1:123456789012:function:context"
    deadline = int(time.time() * 1000) + 3000
    answer = describe(Context(aws_request_id="r-1", deadline_ms=deadline, invoked_function_arn=arn), EVENT)
    assert answer["request_id"] == "r-1"
    assert answer["deadline_ms"] == deadline
    assert answer["invoked_function_arn"] == arn
    assert caplog.messages == [f"invoked with {EVENT}"]
    assert 0 < answer["remaining_time_ms"] <= 3000
    assert json.loads(json.dumps(answer)) == answer
