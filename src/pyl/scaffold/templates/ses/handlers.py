"""Received mail."""

from __future__ import annotations

import logging

from pyl import Context, function
from pyl.events import SESEvent

logger = logging.getLogger("handlers")
logger.setLevel(logging.INFO)


@function
def new_function(context: Context, event: SESEvent) -> dict[str, str]:
    """Tell SES whether the rules after this one may see the mail."""
    mail, receipt = event.records[0].ses.mail, event.records[0].ses.receipt
    unwanted = "FAIL" in (receipt.spam_verdict.status, receipt.virus_verdict.status)
    verdict = "unwanted" if unwanted else "clean"
    logger.info("%r from %s: %s", mail.common_headers.subject, mail.source, verdict)
    return {"disposition": "STOP_RULE_SET" if unwanted else "CONTINUE"}
