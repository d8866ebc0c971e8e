"""Events of SES: received mail, its headers and the results of its checks.

The body is not in the event; the S3 action of a receipt rule stores it.

https://docs.aws.amazon.com/ses/latest/dg/receiving-email-notifications-contents.html
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct, field


class SESHeader(Struct, frozen=True, kw_only=True, rename="camel"):
    """Header of a mail."""

    name: str
    """Name of the header."""
    value: str
    """Value of the header."""


class SESCommonHeaders(Struct, frozen=True, kw_only=True, rename="camel"):
    """Common headers of a mail. A header that the mail does not have is `None`."""

    date: str | None = None
    """Date as the mail has it (RFC 5322)."""
    from_: list[str] | None = field(default=None, name="from")
    """Values of `From`."""
    sender: str | None = None
    """Value of `Sender`."""
    reply_to: list[str] | None = None
    """Values of `Reply-To`."""
    return_path: str | None = None
    """Value of `Return-Path`."""
    to: list[str] | None = None
    """Values of `To`."""
    cc: list[str] | None = None
    """Values of `Cc`."""
    bcc: list[str] | None = None
    """Values of `Bcc`."""
    message_id: str | None = None
    """Id that the sender's mail program gave, unlike `SESMail.message_id`."""
    subject: str | None = None
    """Value of `Subject`."""


class SESMail(Struct, frozen=True, kw_only=True, rename="camel"):
    """Received mail."""

    message_id: str
    """Id that SES gave; also the key of the object that the S3 action writes."""
    timestamp: datetime
    """When the mail was received, in UTC."""
    source: str
    """Envelope sender (`MAIL FROM`)."""
    destination: list[str]
    """Recipients."""
    headers_truncated: bool
    """Whether `headers` is incomplete: SES sends at most 10 KB of headers."""
    headers: list[SESHeader]
    """All headers, in the order of the mail; see `header`."""
    common_headers: SESCommonHeaders
    """Common headers."""

    def header(self, name: str, default: str | None = None) -> str | None:
        """Return the first header of a name, whatever its case."""
        lower_name = name.lower()
        return next((header.value for header in self.headers if header.name.lower() == lower_name), default)


class SESVerdict(Struct, frozen=True, kw_only=True, rename="camel"):
    """Result of a check."""

    status: str
    """`PASS`, `FAIL`, `GRAY`, `PROCESSING_FAILED` or `DISABLED`."""


class SESAction(Struct, frozen=True, kw_only=True, rename="camel"):
    """Action of the receipt rule that called the function."""

    type: str
    """`Lambda`."""
    function_arn: str | None = None
    """ARN of the function."""
    invocation_type: str | None = None
    """`Event` or `RequestResponse`."""
    topic_arn: str | None = None
    """ARN of the SNS topic that the action notifies; `None` without one."""


class SESReceipt(Struct, frozen=True, kw_only=True, rename="camel"):
    """Receipt of a mail: recipients and results of checks."""

    timestamp: datetime
    """When the action was triggered, in UTC."""
    processing_time_millis: int
    """Time from the receipt of the mail to the action, in milliseconds."""
    recipients: list[str]
    """Recipients that the receipt rule matched."""
    spam_verdict: SESVerdict
    """Whether the mail is free of spam."""
    virus_verdict: SESVerdict
    """Whether the mail is free of viruses."""
    spf_verdict: SESVerdict
    """Result of SPF."""
    dkim_verdict: SESVerdict
    """Result of DKIM."""
    dmarc_verdict: SESVerdict | None = None
    """Result of DMARC; `None` if it was not checked."""
    dmarc_policy: str | None = None
    """`none`, `quarantine` or `reject`; only when DMARC failed."""
    action: SESAction
    """The action."""


class SESEntity(Struct, frozen=True, kw_only=True, rename="camel"):
    """A mail and its receipt."""

    mail: SESMail
    """The mail."""
    receipt: SESReceipt
    """Its receipt."""


class SESRecord(Struct, frozen=True, kw_only=True, rename="camel"):
    """One received mail."""

    event_source: str
    """Always `aws:ses`."""
    event_version: str
    """Version of the event's format; `1.0`."""
    ses: SESEntity
    """The mail and its receipt."""


class SESEvent(Struct, frozen=True, kw_only=True, rename="camel"):
    """Received mail."""

    records: list[SESRecord] = field(name="Records")
    """The mails; AWS sends one for each event."""
