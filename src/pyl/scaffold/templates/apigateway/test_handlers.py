import json
from pathlib import Path

import msgspec
from pyl import Context
from pyl.events import APIGatewayEvent

from handlers import new_function

EVENT = json.loads(
    (Path(__file__).parents[1] / "events" / "apigateway.json").read_text()
)


def answer(**changes):
    return new_function(Context(), msgspec.convert(EVENT | changes, APIGatewayEvent))


def test_a_note_is_taken():
    response = answer()
    assert (response.status_code, json.loads(response.body)) == (
        201,
        {"title": "Tea", "words": 3},
    )


def test_a_body_that_is_no_note_is_the_callers_mistake():
    response = answer(body='{"text": "no title"}')
    assert response.status_code == 400
    assert "missing required field `title`" in json.loads(response.body)["detail"]
