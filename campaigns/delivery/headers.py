"""Header fields: encoded right (RFC 2047, RFC 5322), and never a place for injected lines.

What an author or an operator wrote is refused when it holds a line break; what comes from a contact is flattened to one
line, because one odd name must not stop a campaign.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.header import Header
from email.utils import quote
from urllib.parse import quote as quote_url
from urllib.parse import urlsplit

from django.conf import settings

from campaigns.domain_names import ascii_domain
from pulsequill.core.errors import Invalid

LINE_LENGTH = 78
#: What an address may hold as it is in a `mailto:` link (RFC 6068 section 2).
MAILTO_SAFE = "@!$'*+-._~"
_BREAKS = re.compile(r"[\r\n\x00]")
#: Control characters, and what programs other than mail take for a line break.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_NEEDS_QUOTES = re.compile(r"[^A-Za-z0-9 !#$%&'*+/=?^_`{|}~-]")


def refuse_injection(name: str, value: str) -> str:
    """Return `value` when it fits on one header line.

    Raises:
        Invalid: it holds CR, LF or NUL.
    """
    if _BREAKS.search(value):
        raise Invalid(f"{name} must not hold a line break.", code="header_injection")
    return value


def one_line(value: str) -> str:
    """Return `value` with every run of control characters as one space."""
    return _CONTROLS.sub(" ", value).strip()


def unstructured(name: str, value: str) -> str:
    """Return the value of a free-text header such as Subject, encoded and folded."""
    if value.isascii() and "=?" not in value and len(name) + 2 + len(value) <= LINE_LENGTH:
        return value
    charset = "us-ascii" if value.isascii() and "=?" not in value and _folds_between_words(value) else "utf-8"
    return Header(value, charset, header_name=name, maxlinelen=LINE_LENGTH).encode(linesep="\r\n")


def _folds_between_words(value: str) -> bool:
    """Tell whether plain words can be folded: none too long, and no run of blanks, which readers shorten at a fold."""
    words = value.split(" ")
    return all(words) and max(map(len, words)) < LINE_LENGTH - 10


def ascii_address(email: str) -> str:
    """Return an address with its domain in ASCII (IDNA); a local part beyond ASCII stays and needs SMTPUTF8."""
    local, _, domain = email.rpartition("@")
    return email if domain.isascii() else f"{local}@{ascii_domain(domain)}"


def mailbox(name: str, email: str) -> str:
    """Return `Name <address>`, the name quoted or encoded where it has to be."""
    address = ascii_address(email)
    if not name:
        return address
    if not name.isascii() or "=?" in name:
        phrase = Header(name, "utf-8", header_name="Reply-To", maxlinelen=LINE_LENGTH - 2).encode(linesep="\r\n")
    else:
        phrase = f'"{quote(name)}"' if _NEEDS_QUOTES.search(name) else name
    separator = "\r\n " if len(phrase.rsplit("\r\n", 1)[-1]) + len(address) > LINE_LENGTH - 14 else " "
    return f"{phrase}{separator}<{address}>"


def public_host() -> str:
    """Return the host that our links name."""
    return urlsplit(settings.PUBLIC_URL).hostname or "localhost"


@dataclass(frozen=True, slots=True)
class FixedHeaders:
    """What every message of a campaign says alike. Built once; `build` refuses what could inject a line."""

    from_name: str
    from_email: str
    reply_to: str
    list_id: str
    feedback_id: str
    mailto: str
    domain: str

    @classmethod
    def build(
        cls, *, from_name: str, from_email: str, reply_to: str, workspace_name: str, workspace_slug: str, stream: str
    ) -> FixedHeaders:
        """Check and prepare the fixed headers.

        Args:
            from_name: the sender's name.
            from_email: the sender's address.
            reply_to: where replies go; empty: to the sender.
            workspace_name: named in List-Id.
            workspace_slug: the list's id, together with our host.
            stream: what Feedback-ID tells campaigns apart by (a campaign's id).

        Raises:
            Invalid: a value holds a line break.
        """
        for label, value in (("The sender's name", from_name), ("The sender's address", from_email),
                             ("The reply address", reply_to)):  # fmt: skip
            refuse_injection(label, value)
        address = ascii_address(from_email)
        list_label = mailbox(one_line(workspace_name), "x@x").rpartition("<")[0].strip()
        return cls(
            from_name=one_line(from_name),
            from_email=address,
            reply_to=ascii_address(reply_to),
            list_id=f"{list_label} <{workspace_slug}.{public_host()}>",
            feedback_id=f"{stream}:{workspace_slug}:campaign:pulsequill",
            mailto=ascii_address(reply_to) or address,
            domain=address.rpartition("@")[2],
        )

    @property
    def lines(self) -> str:
        """The fixed header lines of a campaign's message, each with its CRLF."""
        reply = f"Reply-To: {self.reply_to}\r\n" if self.reply_to else ""
        return f"From: {mailbox(self.from_name, self.from_email)}\r\n{reply}"

    def list_headers(self, unsubscribe_url: str) -> dict[str, str]:
        """Return the headers of RFC 2369, RFC 2919 and RFC 8058 for one recipient.

        Args:
            unsubscribe_url: the recipient's own link; its token is also the subject of the mail that unsubscribes.
        """
        token = unsubscribe_url.rpartition("/")[2]
        mailto = f"mailto:{quote_url(self.mailto, safe=MAILTO_SAFE)}?subject=unsubscribe%20{quote_url(token)}"
        return {
            "List-Id": self.list_id,
            "List-Unsubscribe": f"<{unsubscribe_url}>,\r\n <{mailto}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Feedback-ID": self.feedback_id,
        }

    def rfc_message_id(self, message_id: int) -> str:
        """Return the Message-ID: the same for every attempt at one recipient, so that a repeat can be recognised."""
        return f"<{message_id}@{self.domain}>"
