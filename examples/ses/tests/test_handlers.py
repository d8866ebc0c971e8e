import json
from pathlib import Path

import msgspec
import pytest
from handlers import gatekeeper

from pyl import Context
from pyl.events import SESEvent

EVENT = (Path(__file__).parents[1] / "events" / "ses.json").read_text()


def answer(**receipt):
    event = json.loads(EVENT)
    event["Records"][0]["ses"]["receipt"] |= receipt
    return gatekeeper(Context(), msgspec.convert(event, SESEvent))


def test_clean_mail_goes_on(caplog):
    assert answer() == {"disposition": "CONTINUE"}
    assert caplog.messages == ["maria.silva@example.com: 'Where is order A-1041?', clean"]


@pytest.mark.parametrize(
    "receipt",
    [{"spamVerdict": {"status": "FAIL"}}, {"virusVerdict": {"status": "FAIL"}}, {"dmarcPolicy": "reject"}],
)
def test_bad_mail_stops(receipt):
    assert answer(**receipt) == {"disposition": "STOP_RULE_SET"}
