"""SendGrid's signed event webhook: is it SendGrid, and what do its events mean for us.

Signature: ECDSA with P-256 and SHA-256 over the timestamp header followed by the raw body; the public key is base64
DER (SubjectPublicKeyInfo) without PEM lines (Twilio, "Getting started with the Event Webhook security features").
Meaning of the events: RULES.md section 2; the table below is that table.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from pulsequill.core.event_log import encode

SOURCE = "sendgrid"
SIGNATURE_HEADER = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP_HEADER = "X-Twilio-Email-Event-Webhook-Timestamp"
#: Events are sent again for 24 hours; replays within the window are recognised by their keys.
OLDEST_S, NEWEST_S = 26 * 60 * 60, 5 * 60
#: The longest address there is, and what is kept of an entry that is no event.
MAX_IP, MAX_ENTRY = 45, 2_000
NO_EVENT = "an entry of a signed batch that is no event"


class NotFromSendGrid(ValueError):
    """The request is not signed with the key, or is too old."""


@lru_cache(maxsize=256)
def _public_key(text: str) -> ec.EllipticCurvePublicKey:
    key = load_der_public_key(base64.b64decode(text, validate=True))
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise ValueError("not an elliptic curve key")
    return key


def verify(*, public_key: str, signature: str, timestamp: str, body: bytes, now: float | None = None) -> None:
    """Check a request.

    Args:
        public_key: base64 of the DER key.
        signature: the signature header, base64 of a DER signature.
        timestamp: the timestamp header, seconds since 1970 as text.
        body: the raw bytes; parsed and written again they would not match.
        now: seconds since 1970; the clock when omitted.

    Raises:
        NotFromSendGrid: whatever is wrong with it.
    """
    try:
        age = (time.time() if now is None else now) - int(timestamp)
        key = _public_key(public_key)
        key.verify(base64.b64decode(signature, validate=True), timestamp.encode("ascii") + body, ec.ECDSA(SHA256()))
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, OverflowError) as error:
        raise NotFromSendGrid("wrong signature") from error
    if not -NEWEST_S <= age <= OLDEST_S:
        raise NotFromSendGrid("too old, or from the future")


def verify_any(*, public_keys: Sequence[str], signature: str, timestamp: str, body: bytes) -> None:
    """Check a request against several keys: one of them must have signed it.

    Raises:
        NotFromSendGrid: none has, or there is no key at all.
    """
    refusal = NotFromSendGrid("no key")
    for public_key in public_keys:
        try:
            verify(public_key=public_key, signature=signature, timestamp=timestamp, body=body)
        except NotFromSendGrid as error:
            refusal = error
        else:
            return
    raise refusal


@dataclass(frozen=True)
class Meaning:
    """What one of SendGrid's events is for us."""

    kind: str
    bounce_type: str = ""
    suppression: str = ""


#: (event, type) -> meaning; the type is looked at first. What is not here is kept as it is and changes nothing.
MEANINGS: dict[tuple[str, str], Meaning] = {
    ("delivered", ""): Meaning("delivered"),
    ("deferred", ""): Meaning("deferred"),
    ("bounce", ""): Meaning("bounced", "hard", "hard_bounce"),
    ("bounce", "bounce"): Meaning("bounced", "hard", "hard_bounce"),
    ("bounce", "blocked"): Meaning("bounced", "soft"),
    ("blocked", ""): Meaning("bounced", "soft"),
    ("dropped", ""): Meaning("rejected"),
    ("spamreport", ""): Meaning("complained", "", "complaint"),
    ("unsubscribe", ""): Meaning("unsubscribed", "", "unsubscribe"),
    ("group_unsubscribe", ""): Meaning("unsubscribed", "", "unsubscribe"),
    ("open", ""): Meaning("opened"),
    ("click", ""): Meaning("clicked"),
}
#: Why SendGrid dropped a message, in lower case -> what that says about the address. Others say nothing about it.
DROP_REASONS: dict[str, str] = {
    "bounced address": "hard_bounce",
    "invalid": "hard_bounce",
    "unsubscribed address": "unsubscribe",
    "spam reporting address": "complaint",
}


def to_lines(events: Iterable[Any], *, workspace_id: UUID) -> list[bytes]:
    """Return SendGrid's events as lines of the event log, on behalf of one workspace."""
    return [_line(event, workspace_id) for event in events if isinstance(event, dict)]


def to_strays(events: Iterable[Any], *, workspace_id: UUID) -> list[bytes]:
    """Return the entries that are no events at all (`NO_EVENT`) as lines, each once however often it is sent."""
    texts = {json.dumps(event)[:MAX_ENTRY] for event in events if not isinstance(event, dict)}
    return [
        encode(
            kind="unknown",
            message_id=None,
            source=SOURCE,
            dedupe_key="sg:" + hashlib.sha256(f"{workspace_id}|{text}".encode()).hexdigest(),
            workspace_id=workspace_id,
            data={"entry": text},
        )
        for text in sorted(texts)
    ]


def _line(event: dict[str, Any], workspace_id: UUID) -> bytes:
    name, event_type = str(event.get("event", "")), str(event.get("type", ""))
    meaning = MEANINGS.get((name, event_type)) or MEANINGS.get((name, "")) or Meaning(name[:60] or "unknown")
    detail = str(event.get("reason") or event.get("response") or "")
    message_id, attempt_id = _whole_number(event.get("pq_message")), _uuid(event.get("pq_attempt"))
    data = {
        "bounce_type": meaning.bounce_type,
        "suppression": meaning.suppression or DROP_REASONS.get(detail.strip().lower(), "")
        if name == "dropped"
        else meaning.suppression,
        "attempt_id": attempt_id,
        # SendGrid's X-Message-Id is the part before the first dot.
        "provider_message_id": str(event.get("sg_message_id", "")).split(".", 1)[0][:120],
        "provider_event_id": str(event.get("sg_event_id", ""))[:100],
        "is_machine": event.get("sg_machine_open") in (True, "true"),
        "code": str(event.get("status", ""))[:20],
        "detail": detail[:300],
        "url": str(event.get("url", ""))[:2000],
    }
    return encode(
        kind=meaning.kind,
        message_id=message_id,
        source=SOURCE,
        occurred_at=_moment(event.get("timestamp")),
        ip=str(event.get("ip", ""))[:MAX_IP],
        user_agent=str(event.get("useragent", "")),
        dedupe_key=_key(event, workspace_id, message_id, attempt_id),
        workspace_id=workspace_id,
        data={key: value for key, value in data.items() if value},
    )


def _key(event: dict[str, Any], workspace_id: UUID, message_id: int | None, attempt_id: str) -> str:
    """One event is one (attempt, kind, second, address): `sg_event_id` alone is not safe (sendgrid-nodejs #1435)."""
    facts = [str(workspace_id), message_id, attempt_id, event.get("event"), event.get("timestamp"), event.get("url")]
    if message_id is None:  # nothing of ours to tell them apart by
        facts += [event.get("sg_event_id"), event.get("email")]
    return "sg:" + hashlib.sha256(json.dumps(facts, default=str).encode()).hexdigest()


def _whole_number(value: Any) -> int | None:
    try:
        number = int(str(value))
    except ValueError:
        return None
    return number if 0 < number < 2**63 else None


def _uuid(value: Any) -> str:
    try:
        return str(UUID(str(value))) if value else ""
    except ValueError:
        return ""


def _moment(value: Any) -> datetime:
    now = datetime.now(UTC)
    try:
        moment = datetime.fromtimestamp(int(value), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return now
    return moment if moment.year >= 2000 and moment <= now else now
