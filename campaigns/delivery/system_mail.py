"""PulseQuill's own mail (password resets, invitations) through the same provider as campaigns.

Django's `EMAIL_BACKEND`. System mail has no ledger row: a person waits for it, and asking again is safe.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from email.utils import parseaddr
from typing import Any

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from campaigns.delivery.headers import ascii_address
from campaigns.delivery.providers import NO_WITNESS, Brake, Outcome, OutgoingMessage, Parts, Verdict, get_provider
from campaigns.delivery.providers.base import TIMEOUT_S
from pulsequill.core.errors import SystemMailFailed

#: Nobody's holiday notice should answer a password reset (RFC 3834 section 5).
_MACHINE_MADE = {"Auto-Submitted": "auto-generated"}


class EmailBackend(BaseEmailBackend):
    """Sends what `django.core.mail` is given."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Send mails and return how many were accepted by all their recipients' provider.

        Raises:
            SystemMailFailed: one was not, unless `fail_silently`.
        """
        provider = get_provider()
        sent = 0
        for mail in email_messages:
            messages = [_outgoing(mail, address, provider.content) for address in mail.recipients()]
            if not messages:
                continue
            brake = Brake(deadline=time.monotonic() + TIMEOUT_S)
            outcomes = provider.send_batch(messages, brake=brake, witness=NO_WITNESS)
            refused = [outcome for outcome in outcomes if outcome.verdict is not Verdict.ACCEPTED]
            if not refused:
                sent += 1
            elif not self.fail_silently:
                may_have_left = any(one.verdict in (Verdict.ACCEPTED, Verdict.UNCERTAIN) for one in outcomes)
                raise SystemMailFailed(_why(refused), may_have_left=may_have_left)
        return sent


def _why(refused: Sequence[Outcome]) -> str:
    return " ".join(dict.fromkeys(outcome.reason for outcome in refused))


def _outgoing(mail: EmailMessage, address: str, content: str) -> OutgoingMessage:
    """Return one recipient's copy. Django itself refuses headers with line breaks."""
    message = mail.message()
    for name, value in _MACHINE_MADE.items():
        message[name] = value
    sender_name, sender = parseaddr(str(message["From"]))
    facts: dict[str, Any] = {
        "message_id": None,
        "attempt_id": None,
        "workspace_id": None,
        "campaign_id": None,
        "to": ascii_address(parseaddr(address)[1]),
        "mail_from": ascii_address(sender),
        "subject": str(mail.subject),
    }
    if content == "mime":
        mime = message.as_bytes(linesep="\r\n")  # type: ignore[call-arg]  # Django's own messages take it
        return OutgoingMessage(**facts, mime=mime)
    html = next((str(part[0]) for part in getattr(mail, "alternatives", []) if part[1] == "text/html"), "")
    parts = Parts(
        subject=str(mail.subject),
        from_name=sender_name,
        from_email=ascii_address(sender),
        reply_to=parseaddr(mail.reply_to[0])[1] if mail.reply_to else "",
        html=html,
        text=str(mail.body),
        headers={"Message-ID": str(message["Message-ID"]), **_MACHINE_MADE},
    )
    return OutgoingMessage(**facts, parts=parts)
