"""Received mail, let in or turned away."""

from __future__ import annotations

import logging

from pyl import Context, function
from pyl.events import SESEvent

logger = logging.getLogger("ses")
logger.setLevel(logging.INFO)


@function
def gatekeeper(context: Context, event: SESEvent) -> dict[str, str]:
    """Tell SES whether the rules after this one may see the mail."""
    mail, receipt = event.records[0].ses.mail, event.records[0].ses.receipt
    failed = [
        name
        for name, verdict in (("spam", receipt.spam_verdict), ("virus", receipt.virus_verdict))
        if verdict.status == "FAIL"
    ]
    if receipt.dmarc_policy == "reject":
        failed.append("dmarc")
    logger.info("%s: %r, %s", mail.source, mail.common_headers.subject, ", ".join(failed) or "clean")
    return {"disposition": "STOP_RULE_SET" if failed else "CONTINUE"}
