"""Mail that comes back to a return path: what it is, which message it is about, and what the event log shall hold.

A report changes something only when it names a message by something that we signed. Everything else (a holiday answer,
a read receipt, a reply, junk) is kept as it came, with the reason, and changes nothing.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Any
from uuid import UUID

from analytics.ingest.complaint import read_complaint
from analytics.ingest.delivery_status import Finding, as_one, findings_of
from analytics.ingest.mail_reading import Unreadable, blocks_of, header, parts_of, read_mail
from analytics.ingest.our_messages import find_message
from analytics.ingest.plain_bounces import read_plain_bounce
from campaigns.models import Message as LedgerRow
from pulsequill.core.event_log import append_durably, encode

SOURCE = "bounce"
#: Reports of deliveries, in ASCII (RFC 3464) and beyond (RFC 6533).
STATUS_TYPES = frozenset({"message/delivery-status", "message/global-delivery-status"})
#: What is kept of a mail that changes nothing.
KEPT_BYTES = 8 * 1024
#: A report is believed about its time this far back: mail servers try for a week.
OLDEST = timedelta(days=30)
#: Fields by which programs say that they answer (RFC 3834, and what came before it).
ANSWERING_FIELDS = ("X-Autoreply", "X-Autorespond", "X-Auto-Response-From")


def take_in(raw: bytes, *, workspace_id: UUID | None, recipient: str = "") -> str:
    """Keep a mail that came back, durably; the consumer counts what it reports. Never refuses one for what it holds.

    Args:
        raw: the mail as it arrived.
        workspace_id: whom it may speak about; None when our own mail server hands it over, for all workspaces.
        recipient: whom its envelope named, when known.

    Returns:
        Why it changes nothing; empty when it is a report about a message.

    Raises:
        django.db.Error: nothing is kept; try again.
    """
    try:
        mail = read_mail(raw)
        finding, message_id = _about(mail, recipient, workspace_id)
    except Unreadable as error:
        return _keep(raw, f"A mail that cannot be read: {error}", workspace_id)
    if finding is None:
        return _keep(raw, _what_else(mail), workspace_id)
    if message_id is None:
        return _keep(raw, "A report that names no message of ours.", workspace_id)
    append_durably([_line(mail, raw, finding, message_id, workspace_id)])
    return ""


def _about(mail: Message, recipient: str, workspace_id: UUID | None) -> tuple[Finding | None, int | None]:
    """Return what a mail reports, and about which ledger row."""
    complaint = read_complaint(mail)
    reports = [complaint] if complaint else _failures(mail)
    message_id = find_message(mail, recipient) if reports else None
    if complaint or message_id is None:
        return (reports[0] if reports else None), message_id
    return as_one(reports, _address_of(message_id, workspace_id)), message_id


def _failures(mail: Message) -> list[Finding]:
    for part in parts_of(mail):
        if part.get_content_type() in STATUS_TYPES and (found := findings_of(blocks_of(part))):
            return found
    return read_plain_bounce(mail)


def _address_of(message_id: int, workspace_id: UUID | None) -> str:
    rows = LedgerRow.objects.for_workspace(workspace_id) if workspace_id else LedgerRow.objects.across_workspaces()
    return rows.filter(pk=message_id).values_list("email", flat=True).first() or ""


def _what_else(mail: Message) -> str:
    """Return what a mail without a report is, for whoever looks at it."""
    if "disposition-notification" in header(mail, "Content-Type").lower():
        return "A read receipt, not a bounce."
    submitted = header(mail, "Auto-Submitted").lower() or "no"
    if submitted != "no" or any(mail.get(name) for name in ANSWERING_FIELDS) or _is_old_answer(mail):
        return "An automatic answer, not a bounce."
    return "Not a report that we know."


def _is_old_answer(mail: Message) -> bool:
    return header(mail, "Precedence").lower() in ("auto_reply", "auto-reply")


def _line(mail: Message, raw: bytes, finding: Finding, message_id: int, workspace_id: UUID | None) -> bytes:
    data = {"bounce_type": finding.bounce_type, "code": finding.code, "detail": finding.detail}
    # A report that arrives by two ways differs in its trace fields only.
    identity = header(mail, "Message-ID") or hashlib.sha256(raw).hexdigest()
    facts = f"{workspace_id}|{message_id}|{finding.kind}|{finding.bounce_type}|{identity}"
    return encode(
        kind=finding.kind,
        message_id=message_id,
        source=SOURCE,
        occurred_at=_moment(header(mail, "Date")),
        dedupe_key="mail:" + hashlib.sha256(facts.encode("utf-8", "replace")).hexdigest(),
        workspace_id=workspace_id,
        data={name: value for name, value in data.items() if value},
    )


def _keep(raw: bytes, problem: str, workspace_id: UUID | None) -> str:
    """Keep a mail that changes nothing, once."""
    data: dict[str, Any] = {"mail": raw[:KEPT_BYTES].decode("utf-8", "replace"), "bytes": len(raw)}
    key = "mail:" + hashlib.sha256(f"{workspace_id}|".encode() + raw).hexdigest()
    line = encode(kind="mail", message_id=None, source=SOURCE, dedupe_key=key, workspace_id=workspace_id, data=data)
    append_durably([line], problem=problem[:200])
    return problem


def _moment(text: str) -> datetime:
    """Return when a report says that it was written, as far as that can be believed."""
    now = datetime.now(UTC)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return now
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment if now - OLDEST <= moment <= now else now
