import json
from pathlib import Path

from pyl import Context

from handlers import Guest, new_function

EVENT = json.loads((Path(__file__).parents[1] / "events" / "direct.json").read_text())


def test_a_guest_is_greeted():
    assert new_function(Context(), Guest(**EVENT)) == {"greeting": "Hello, Maria!"}


def test_a_guest_is_greeted_in_their_language():
    assert new_function(Context(), Guest("João", language="pt")) == {
        "greeting": "Olá, João!"
    }
