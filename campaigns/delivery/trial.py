"""One real mail through exactly the settings that a campaign would use, told step by step.

What the provider answered is the outcome of `send_batch`, nothing else: a step is "done" because the outcome stands
at a later one (`providers.advice.FAILED_AT`). No ledger row: a person waits for the answer and tries again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import formatdate, make_msgid
from functools import partial
from html import escape
from typing import Any, Literal

from django.core.exceptions import ImproperlyConfigured

from campaigns.delivery.envelope import Envelope
from campaigns.delivery.headers import ascii_address, public_host
from campaigns.delivery.providers import NO_WITNESS, Brake, Outcome, OutgoingMessage, Parts, Provider, Verdict
from campaigns.delivery.providers.advice import FAILED_AT, STEPS, advice_for
from campaigns.delivery.providers.own import make_for_servers, make_own
from campaigns.models import ProviderSettings, Sender, SmtpServer

#: Seconds that one exchange of a trial may take, and all of them together: somebody is waiting.
TRIAL_TIMEOUT_S = 10.0
TRIAL_DEADLINE_S = 20.0
MOST_AT_ONCE = 5

SUBJECT = "PulseQuill can send: this is your test mail"
TEXT = """Hello,

this mail left PulseQuill by way of {way}, with the settings that the campaigns of {workspace} will use.
That it is here means: mail goes out, and it arrives.

Nothing else was sent, and nobody else got this.
"""
HTML = """<!doctype html><html lang="en"><body style="margin:0;padding:32px 16px;background:#f7f6f3">
<table role="presentation" width="100%"><tr><td align="center">
<table role="presentation" width="520" style="max-width:520px;background:#ffffff;border:1px solid #e6e3dc"><tr>
<td style="padding:28px;font:15px/1.6 Helvetica,Arial,sans-serif;color:#1c1925">
<h1 style="margin:0 0 12px;font-size:20px">It works</h1>
<p>This mail left PulseQuill by way of <b>{way}</b>, with the settings that the campaigns of {workspace} will use.</p>
<p>That it is here means: mail goes out, and it arrives.</p>
<p style="margin:0;color:#696474;font-size:13px">Nothing else was sent, and nobody else got this.</p>
</td></tr></table></td></tr></table></body></html>"""


@dataclass(frozen=True, slots=True)
class Line:
    """One step: `state` is done, failed, open (not reached) or note (done, with something to know)."""

    state: Literal["done", "failed", "open", "note"]
    text: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a trial found out about one way: a server, or SendGrid, or the outbox."""

    way: str
    is_right: bool
    lines: list[Line]
    code: str
    meaning: str = ""
    remedy: str = ""
    said: str = ""
    duration_ms: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return it for `/v1`."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Way:
    """One thing to try: how it is called, how it is made, and what each step says when it is done."""

    name: str
    make: Callable[[], Provider]
    done: dict[str, Line]


_FAILED: dict[str, str] = {
    "find": "The server was not found",
    "connect": "Connecting failed",
    "secure": "Securing the connection failed",
    "sign_in": "Signing in failed",
    "sender": "The sender was refused",
    "recipient": "The recipient was refused",
    "message": "Handing the mail over failed",
}


@dataclass(frozen=True, slots=True)
class _Ready:
    """A way with its provider and the mail that is to go."""

    way: _Way
    provider: Provider
    message: OutgoingMessage


def run_trial(own: ProviderSettings, *, to: str, sender: Sender) -> list[Report]:
    """Hand one mail over by each way that these settings know, and tell what came of it.

    Args:
        own: the settings, active or not; with its workspace.
        to: where the mail goes.
        sender: whom it comes from, as in a campaign.

    Returns:
        One report for each mail server, or one for the provider.
    """
    ready = [_prepare(way, own, to, sender) for way in _WAYS[own.provider](own)]
    if len(ready) == 1:
        return [_try(ready[0])]
    with ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="trial") as pool:
        return list(pool.map(_try, ready))


def _capture_ways(own: ProviderSettings) -> list[_Way]:
    kept = Line("done", "Kept in the outbox. With these settings no mail leaves PulseQuill.")
    return [_Way("the outbox", partial(make_own, own), {"message": kept})]


def _sendgrid_ways(own: ProviderSettings) -> list[_Way]:
    region = "SendGrid in the EU" if own.options.get("region") == "eu" else "SendGrid"
    done = {
        "connect": Line("done", "Connected, with TLS"),
        "sign_in": Line("done", "The API key is known"),
        "sender": Line("done", "Key and sender may send"),
        "message": Line("done", "SendGrid took the mail"),
    }
    return [_Way(region, partial(make_own, own, timeout_s=TRIAL_TIMEOUT_S), done)]


def _smtp_ways(own: ProviderSettings) -> list[_Way]:
    rows = SmtpServer.objects.for_workspace(own.workspace_id).filter(settings=own).order_by("created_at", "pk")
    return [_smtp_way(row) for row in rows]


def _smtp_way(row: SmtpServer) -> _Way:
    secure = (
        Line("note", "Not encrypted: these settings ask for no TLS")
        if row.security == SmtpServer.Security.NONE
        else Line("done", f"Secured with {row.get_security_display()}")
    )
    done = {
        "find": Line("done", f"Found {row.host}"),
        "connect": Line("done", f"Connected on port {row.port}"),
        "secure": secure,
        "sign_in": Line("done", f"Signed in as {row.username}" if row.username else "No sign-in needed"),
        "sender": Line("done", "The sender may send"),
        "recipient": Line("done", "The recipient is taken"),
        "message": Line("done", "The server took the mail"),
    }
    return _Way(str(row), partial(make_for_servers, [row], timeout_s=TRIAL_TIMEOUT_S), done)


_WAYS: dict[str, Callable[[ProviderSettings], list[_Way]]] = {
    "capture": _capture_ways,
    "smtp": _smtp_ways,
    "sendgrid": _sendgrid_ways,
}

_OPEN: dict[str, str] = {
    "find": "Find the server",
    "connect": "Connect",
    "secure": "Secure the connection",
    "sign_in": "Sign in",
    "sender": "Name the sender",
    "recipient": "Name the recipient",
    "message": "Hand the mail over",
}


def _prepare(way: _Way, own: ProviderSettings, to: str, sender: Sender) -> _Ready | Report:
    """Do all that asks the database, because threads follow; a way that cannot be made is a report at once."""
    try:
        provider = way.make()
    except ImproperlyConfigured as error:
        return Report(way.name, False, [], "not_configured", str(error), "Open the settings and enter what is missing.")
    return _Ready(way, provider, _compose(own, to=to, sender=sender, way=way.name, content=provider.content))


def _try(ready: _Ready | Report) -> Report:
    if isinstance(ready, Report):
        return ready
    started = time.monotonic()
    brake = Brake(deadline=started + TRIAL_DEADLINE_S)
    try:
        outcome = ready.provider.send_batch([ready.message], brake=brake, witness=NO_WITNESS)[0]
    finally:
        ready.provider.close()
    return _report(ready.way, outcome, round((time.monotonic() - started) * 1000))


def _report(way: _Way, outcome: Outcome, duration_ms: int) -> Report:
    steps = [step for step in STEPS if step in way.done]
    if outcome.verdict is Verdict.ACCEPTED:
        return Report(way.name, True, [way.done[step] for step in steps], outcome.code, duration_ms=duration_ms)
    advice = advice_for(outcome)
    failed_at = FAILED_AT.get(outcome.code, "message")
    # A way that does not know the step fails at its next one: SendGrid connects and secures in one go.
    failed_at = next(step for step in steps if STEPS.index(step) >= STEPS.index(failed_at))
    position = steps.index(failed_at)
    lines = [
        *(way.done[step] for step in steps[:position]),
        Line("failed", _FAILED[failed_at]),
        *(Line("open", _OPEN[step]) for step in steps[position + 1 :]),
    ]
    return Report(
        way.name, False, lines, outcome.code, advice.meaning, advice.remedy, outcome.detail[:300], duration_ms
    )


def _compose(own: ProviderSettings, *, to: str, sender: Sender, way: str, content: str) -> OutgoingMessage:
    """Return the mail, signed as campaigns of this sender are; it returns to the sender, because no row is behind it.

    Raises:
        Invalid: the key of the sender's domain can no longer be read.
    """
    facts: dict[str, Any] = {
        "message_id": None,
        "attempt_id": None,
        "workspace_id": own.workspace_id,
        "campaign_id": None,
        "to": ascii_address(to),
        "mail_from": ascii_address(sender.from_email),
        "subject": SUBJECT,
    }
    words = {"way": way, "workspace": own.workspace.name}
    text, html = TEXT.format(**words), HTML.format(**{name: escape(word) for name, word in words.items()})
    if content == "parts":
        parts = Parts(
            subject=SUBJECT,
            from_name=sender.from_name,
            from_email=ascii_address(sender.from_email),
            reply_to=sender.reply_to,
            html=html,
            text=text,
            headers={"Auto-Submitted": "auto-generated"},
        )
        return OutgoingMessage(**facts, parts=parts)
    mime = _mime(facts["to"], sender, text, html)
    return OutgoingMessage(**facts, mime=Envelope(own.workspace_id, facts["mail_from"]).seal(mime))


def _mime(to: str, sender: Sender, text: str, html: str) -> bytes:
    origin = ascii_address(sender.from_email)
    mail = EmailMessage(policy=SMTP if f"{to}{origin}{sender.reply_to}".isascii() else SMTPUTF8)
    local, _, domain = origin.rpartition("@")
    mail["From"] = Address(sender.from_name, local, domain)
    mail["To"] = to
    mail["Subject"] = SUBJECT
    mail["Date"] = formatdate(localtime=False)
    mail["Message-ID"] = make_msgid(domain=public_host())
    mail["Auto-Submitted"] = "auto-generated"
    if sender.reply_to:
        mail["Reply-To"] = ascii_address(sender.reply_to)
    mail.set_content(text, cte="quoted-printable")
    mail.add_alternative(html, subtype="html", cte="quoted-printable")
    return mail.as_bytes()
