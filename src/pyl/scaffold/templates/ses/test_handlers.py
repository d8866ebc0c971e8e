import copy
import json
from pathlib import Path

import msgspec
from pyl import Context
from pyl.events import SESEvent

from handlers import new_function

EVENT = json.loads((Path(__file__).parents[1] / "events" / "ses.json").read_text())


def test_clean_mail_goes_on(caplog):
    event = msgspec.convert(EVENT, SESEvent)
    assert new_function(Context(), event) == {"disposition": "CONTINUE"}
    (message,) = caplog.messages
    assert message == "'Where is order A-1041?' from maria.silva@example.com: clean"


def test_spam_stops():
    spam = copy.deepcopy(EVENT)
    spam["Records"][0]["ses"]["receipt"]["spamVerdict"]["status"] = "FAIL"
    event = msgspec.convert(spam, SESEvent)
    assert new_function(Context(), event) == {"disposition": "STOP_RULE_SET"}
