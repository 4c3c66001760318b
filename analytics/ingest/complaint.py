"""What mailbox providers report when a reader presses "This is spam": feedback reports (RFC 5965), and Outlook's own.

Providers black out the recipient; whom it is about is said by our own tokens in the mail that comes with it.
"""

from __future__ import annotations

from email.message import Message

from analytics.ingest.delivery_status import Finding
from analytics.ingest.mail_reading import blocks_of, parts_of, walk

FEEDBACK = "message/feedback-report"
#: Feedback-Type (RFC 5965 section 7.3, RFC 6430, RFC 6591) -> our kind of event. What is not here is kept as it is
#: and changes nothing: `not-spam` takes nothing back, `auth-failure` and `virus` say nothing about the reader's wish.
FEEDBACK_TYPES: dict[str, str] = {"abuse": "complained", "fraud": "complained", "opt-out": "unsubscribed"}

#: Outlook.com's Junk Mail Reporting Program sends the mail back as an attachment, with this field on top of it.
OUTLOOK_FIELD = "X-HmXmrOriginalRecipient"


def read_complaint(mail: Message) -> Finding | None:
    """Return what a mail reports about a reader's opinion; None when it is no such report."""
    for part in parts_of(mail):
        if part.get_content_type() == FEEDBACK:
            return _finding(_fields(part))
        if part.get_content_type() == "message/rfc822" and any(inner.get(OUTLOOK_FIELD) for inner in walk(part)):
            return Finding("complained", detail="Outlook.com Junk Mail Reporting Program")
    return None


def original_mail_from(mail: Message) -> str:
    """Return the envelope sender that a feedback report repeats; empty when it does not."""
    reports = (part for part in parts_of(mail) if part.get_content_type() == FEEDBACK)
    return next((_fields(part).get("original-mail-from", "") for part in reports), "")


def _fields(report: Message) -> dict[str, str]:
    fields: dict[str, str] = {}
    for group in blocks_of(report):
        fields = {**group, **fields}
    return fields


def _finding(fields: dict[str, str]) -> Finding:
    said = fields.get("feedback-type", "").split("(")[0].strip().lower()
    kind = FEEDBACK_TYPES.get(said, f"feedback {said}"[:60].strip())
    return Finding(kind, code=said[:20], detail=f"{said or 'feedback'}, by {fields.get('user-agent', 'unnamed')}"[:300])
