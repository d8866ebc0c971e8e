"""What SES sends to a function: received mail, its headers and verdicts (the S3 action stores the body).

Source: https://docs.aws.amazon.com/ses/latest/dg/receiving-email-notifications-contents.html
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct, field


class SESHeader(Struct, frozen=True, kw_only=True, rename="camel"):
    name: str
    value: str


class SESCommonHeaders(Struct, frozen=True, kw_only=True, rename="camel"):
    """Headers that most mail has; each is absent when the mail has no such header."""

    date: str | None = None
    """As in the mail (RFC 5322)."""
    from_: list[str] | None = field(default=None, name="from")
    sender: str | None = None
    reply_to: list[str] | None = None
    return_path: str | None = None
    to: list[str] | None = None
    cc: list[str] | None = None
    bcc: list[str] | None = None
    message_id: str | None = None
    """What the sender's mail program gave, unlike `SESMail.message_id`."""
    subject: str | None = None


class SESMail(Struct, frozen=True, kw_only=True, rename="camel"):
    message_id: str
    """SES's own; also the object key that the S3 action uses."""
    timestamp: datetime
    source: str
    """The envelope's sender (MAIL FROM)."""
    destination: list[str]
    headers_truncated: bool
    headers: list[SESHeader]
    common_headers: SESCommonHeaders

    def header(self, name: str, default: str | None = None) -> str | None:
        """The first header of that name, in whatever case it was sent."""
        wanted = name.lower()
        return next((header.value for header in self.headers if header.name.lower() == wanted), default)


class SESVerdict(Struct, frozen=True, kw_only=True, rename="camel"):
    status: str
    """`PASS`, `FAIL`, `GRAY`, `PROCESSING_FAILED` or `DISABLED`."""


class SESAction(Struct, frozen=True, kw_only=True, rename="camel"):
    """The receipt rule's action that called the function."""

    type: str
    function_arn: str | None = None
    invocation_type: str | None = None
    topic_arn: str | None = None


class SESReceipt(Struct, frozen=True, kw_only=True, rename="camel"):
    timestamp: datetime
    processing_time_millis: int
    recipients: list[str]
    spam_verdict: SESVerdict
    virus_verdict: SESVerdict
    spf_verdict: SESVerdict
    dkim_verdict: SESVerdict
    dmarc_verdict: SESVerdict | None = None
    dmarc_policy: str | None = None
    """`none`, `quarantine` or `reject`; only when DMARC failed."""
    action: SESAction


class SESEntity(Struct, frozen=True, kw_only=True, rename="camel"):
    mail: SESMail
    receipt: SESReceipt


class SESRecord(Struct, frozen=True, kw_only=True, rename="camel"):
    event_source: str
    event_version: str
    ses: SESEntity


class SESEvent(Struct, frozen=True, kw_only=True, rename="camel"):
    records: list[SESRecord] = field(name="Records")
