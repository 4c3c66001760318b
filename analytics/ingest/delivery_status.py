"""What mail servers report about a delivery: delivery status notifications (RFC 3464) and the status codes in them.

A status code (RFC 3463) says more than "failed": whether the address is at fault or something that passes. Only the
former may stop us from mailing somebody for good.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

#: Fields of a report that name the recipient.
RECIPIENT_FIELDS = ("original-recipient", "final-recipient", "x-actual-recipient")

#: RFC 3464 section 2.3.3: action -> our kind of event. `failed` is the only one that says the message is lost.
ACTIONS: dict[str, str] = {
    "failed": "bounced",
    "delayed": "deferred",
    "delivered": "delivered",
    "relayed": "delivered",
    "expanded": "delivered",
}

#: Beginning of a permanent status code (RFC 3463 section 3) whose cause is not the address, and would pass.
PASSING: tuple[str, ...] = (
    "5.1.7",  # the sender's address is malformed
    "5.1.8",  # the sender's domain is not known
    "5.2.2",  # the mailbox is full
    "5.2.3",  # larger than this mailbox takes
    "5.3.",  # the server: full, too large for it, not configured
    "5.4.5",  # the server is overloaded
    "5.4.7",  # it took too long
    "5.6.",  # the content
    "5.7.",  # policy and security: the sender, the content, the sender's reputation
)
#: ... and exceptions: the code below one of these speaks of the address after all.
LASTING: tuple[str, ...] = ("5.7.13",)  # the account is switched off (RFC 5248 registry)

_ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_REPLY = re.compile(r"(?<![\d.])([45])\d\d(?=[ -]|$)")


@dataclass(frozen=True, slots=True)
class Finding:
    """What a report says about one recipient."""

    #: A kind of event; anything that `Event.Kind` does not know is kept as unknown.
    kind: str
    #: `hard`, `soft`, or empty when it is no bounce.
    bounce_type: str = ""
    code: str = ""
    #: The server's own words.
    detail: str = ""
    #: Whom it is about, in lower case: the address that was written to, and the one that it led to.
    recipients: frozenset[str] = frozenset()


def status_code(*texts: str) -> str:
    """Return the first enhanced status code (RFC 3463) that says something; `x.0.0` only when there is no other."""
    found = [".".join(match.groups()) for text in texts for match in _ENHANCED.finditer(text[:2000])]
    return next((code for code in found if not code.endswith(".0.0")), found[0] if found else "")


def bounce_type_of(code: str, words: str = "") -> str:
    """Return `hard` when a failure is the address's and lasts, else `soft`.

    Args:
        code: an enhanced status code, or empty.
        words: what the server said; its reply code counts where there is no status code.
    """
    if not code:
        reply = _REPLY.search(words[:2000])
        return "hard" if reply and reply[1] == "5" else "soft"
    if not code.startswith("5."):
        return "soft"
    return "soft" if code.startswith(PASSING) and code not in LASTING else "hard"


def findings_of(blocks: list[dict[str, str]]) -> list[Finding]:
    """Return what a delivery status notification says about each recipient, in its order.

    Args:
        blocks: its groups of fields; the first one is about the message.
    """
    return [_finding(block) for block in blocks if "action" in block or "final-recipient" in block]


def _finding(block: dict[str, str]) -> Finding:
    action = block.get("action", "").split("(")[0].strip().lower()
    diagnostic = block.get("diagnostic-code", "").partition(";")[2].strip() or block.get("diagnostic-code", "")
    code = status_code(block.get("status", ""), diagnostic)
    kind = ACTIONS.get(action, action[:60] or "unknown")
    return Finding(
        kind=kind,
        bounce_type=bounce_type_of(code, diagnostic) if kind == "bounced" else "",
        code=code,
        detail=diagnostic[:300],
        recipients=frozenset(filter(None, (_address(block.get(name, "")) for name in RECIPIENT_FIELDS))),
    )


def _address(value: str) -> str:
    """Return the address in `rfc822; name@host`; RFC 6533's `utf-8; ...` as well."""
    return value.rpartition(";")[2].strip().strip("<>").lower()


def as_one(findings: list[Finding], address: str) -> Finding | None:
    """Return what several findings mean for the one person that a message of ours was written to.

    A forwarding address can stand for several mailboxes. What names our recipient counts before the rest; of what is
    left, a copy that arrived outweighs the others, and a mild failure outweighs a hard one.

    Args:
        findings: of one report.
        address: whom we wrote to.
    """
    counted = [one for one in findings if address.lower() in one.recipients] or findings
    order = {"delivered": 0, "deferred": 1, "bounced": 2}
    return min(counted, key=lambda one: (order.get(one.kind, 3), one.bounce_type == "hard"), default=None)
