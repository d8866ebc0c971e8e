from __future__ import annotations

import json

import msgspec

from pyl.events import SESEvent, samples


def event() -> SESEvent:
    return msgspec.json.decode(samples.load("ses"), type=SESEvent)


def test_the_mail_arrives() -> None:
    mail = event().records[0].ses.mail
    assert mail.common_headers.from_ == ["Maria Silva <maria.silva@example.com>"]
    assert mail.common_headers.subject == "Where is order A-1041?"
    assert mail.common_headers.message_id != mail.message_id
    assert mail.timestamp.year == 2024


def test_a_header_is_found_in_any_case() -> None:
    mail = event().records[0].ses.mail
    assert mail.header("RETURN-PATH") == "<maria.silva@example.com>"
    assert mail.header("X-None") is None
    assert mail.header("X-None", "nothing") == "nothing"


def test_the_verdicts_and_the_action_arrive() -> None:
    receipt = event().records[0].ses.receipt
    assert receipt.dkim_verdict.status == "GRAY"
    assert receipt.dmarc_verdict is not None
    assert receipt.dmarc_verdict.status == "FAIL"
    assert receipt.dmarc_policy == "quarantine"
    assert receipt.action.function_arn == "arn:aws:lambda:us-east-1:123456789012:function:support"


def test_a_mail_to_undisclosed_recipients_without_a_subject_is_a_mail() -> None:
    raw = json.loads(samples.load("ses"))
    ses = raw["Records"][0]["ses"]
    for header in ("to", "subject", "date", "messageId"):
        del ses["mail"]["commonHeaders"][header]
    del ses["receipt"]["dmarcVerdict"]
    del ses["receipt"]["dmarcPolicy"]
    record = msgspec.convert(raw, SESEvent).records[0].ses
    assert (record.mail.common_headers.to, record.mail.common_headers.subject) == (None, None)
    assert record.receipt.dmarc_verdict is None
    assert record.mail.destination == ["support@example.org"]
