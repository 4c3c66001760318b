"""Bounces of mail servers that write for people and not for programs: qmail, and Exim where it sends no report.

Only what these two are known to write is read. A text in which nothing but the words sounds like a bounce is none: a
holiday answer may say "could not be delivered" as well.
"""

from __future__ import annotations

import re
from email.message import Message

from analytics.ingest.delivery_status import Finding, bounce_type_of, status_code
from analytics.ingest.mail_reading import header, parts_of, text_of

#: QSBMF (https://cr.yp.to/proto/qsbmf.txt): a first paragraph that begins so, then a paragraph for each recipient, then
#: one that begins with a hyphen, then the mail.
_QMAIL = re.compile(r"\A\s*Hi\. This is the\b")
_QMAIL_RECIPIENT = re.compile(
    r"^<(?P<address>[^<>\s]{3,320})>:\s*\n(?P<words>(?:(?!\s*\n|--- ).*\n?){0,20})", re.MULTILINE
)
_COPY = re.compile(r"^-", re.MULTILINE)
#: Exim names the recipients that failed in a field of the header, and quotes the server below each in the text.
EXIM_FIELD = "X-Failed-Recipients"
#: Exim's note that it goes on trying (its `warn_message_file` default): no recipient has failed.
_EXIM_DELAY = re.compile(r"\AWarning: message \S+ delayed \d+ hour", re.IGNORECASE)
_EXIM_SAYS = "has not been delivered to one or more of its recipients"


def read_plain_bounce(mail: Message) -> list[Finding]:
    """Return what a bounce without a report says about each recipient; nothing when it is none that we know."""
    text = _first_text(mail)
    if _QMAIL.match(text):
        return _qmail(text)
    if failed := header(mail, EXIM_FIELD):
        return [_exim(address.strip().lower(), text) for address in failed.split(",")[:20] if "@" in address]
    if _EXIM_DELAY.match(header(mail, "Subject")) and _EXIM_SAYS in " ".join(text.split()):
        return [Finding("deferred", detail=header(mail, "Subject")[:300])]
    return []


def _first_text(mail: Message) -> str:
    for part in parts_of(mail):
        if part.get_content_type() == "text/plain":
            return text_of(part)[:20_000].replace("\r\n", "\n")
    return ""


def _qmail(text: str) -> list[Finding]:
    copy = _COPY.search(text)
    report = text[: copy.start()] if copy else text
    return [
        _lost(found["address"].lower(), " ".join(found["words"].split())) for found in _QMAIL_RECIPIENT.finditer(report)
    ]


def _exim(address: str, text: str) -> Finding:
    """Return the words that stand indented below the address."""
    report, wanted = text.split("\n------", 1)[0], re.escape(address)
    found = re.search(rf"^\s*{wanted}\s*\n(?P<words>(?:[ \t]+\S.*\n?){{1,10}})", report, re.IGNORECASE | re.MULTILINE)
    return _lost(address, " ".join(found["words"].split()) if found else "")


def _lost(address: str, words: str) -> Finding:
    """Return a bounce: that it is lost is certain, that it is the address's fault only when a code says so."""
    code = status_code(words.replace("#", " "))
    return Finding("bounced", bounce_type_of(code, words), code, words[:300], frozenset({address}))
