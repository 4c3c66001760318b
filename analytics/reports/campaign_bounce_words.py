"""What a mail server meant when it sent a mail back: codes and words -> a reason in plain language and what to do.

Sources: the classes and codes of RFC 3463 with the IANA registry of RFC 5248 (7.20 to 7.25: RFC 7372; 1.10: RFC 7505),
Google, "Gmail SMTP errors and codes" (knowledge.workspace.google.com), Microsoft, "Email non-delivery reports and SMTP
errors in Exchange Online" and the Outlook.com postmaster's troubleshooting page, Yahoo, "SMTP Error Codes"
(senders.yahooinc.com). All of it is data: a new code is a new line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason. `concerns` says whose matter it is: `address`, `sender` (ours), `content` of the mail, or `time`."""

    key: str
    concerns: str
    title: str
    meaning: str
    advice: str


_ALL = (
    Reason("no_mailbox", "address", "There is no such mailbox",
           "The mail server knows the domain, but nobody with this name.",
           "Nothing to do: the address is suppressed. Many at once mean an old list, or a bought one."),
    Reason("mailbox_disabled", "address", "The mailbox is closed",
           "The account exists but takes no mail any more; its owner left, or the provider locked it.",
           "Nothing to do: nobody reads there."),
    Reason("mailbox_full", "address", "The mailbox is full",
           "The reader has no room left.",
           "Nothing now: it is tried again with your next campaigns, and suppressed when it happens again and again."),
    Reason("no_domain", "address", "The domain takes no mail",
           "What stands behind the @ does not exist, or says that it has no mailboxes.",
           "Look for typing mistakes (gmial.com) in your sign-up form and your imports."),
    Reason("bad_address", "address", "The address is not valid there",
           "The mail server cannot read the address or refuses its form.",
           "Correct it in the contact if you know the person; otherwise leave it."),
    Reason("moved", "address", "The mailbox has moved",
           "The person has another address now; the server does not say which.",
           "Ask them by another way, if you have one."),
    Reason("too_large", "content", "The mail is too large",
           "It is larger than this mailbox or its server takes.",
           "Use fewer or smaller pictures inside the mail, and link to files instead of attaching them."),
    Reason("content", "content", "The content was refused",
           "A filter took something in the mail for spam, a virus or a dangerous link.",
           "Look at the links first: one on a block list is enough. Then subject, shorteners and picture-only parts."),
    Reason("spam_rate", "sender", "Too much of our mail is taken for spam",
           "The provider sees unusually many complaints about this domain or server, or much unwanted mail.",
           "Mail only people who opened lately, for two weeks; look at the complaints; then grow slowly again."),
    Reason("blocked", "sender", "The sending server or domain is blocked",
           "The provider, or a block list that it uses, refuses everything from the server or domain that sent this.",
           "Its words may name the list: ask for removal there. With a sending service, ask the service."),
    Reason("rate", "time", "Too much at once",
           "The provider takes our mail, but not so fast, or not so much of it in a day.",
           "Set a slower pace for the next campaign, or warm the domain up."),
    Reason("recipient_rate", "time", "This mailbox gets too much mail",
           "The one mailbox receives more mail than its provider allows.",
           "Nothing to do; it passes."),
    Reason("no_authentication", "sender", "The mail could not be proved to be ours",
           "Neither SPF nor DKIM passed, so the provider cannot know that the mail comes from your domain.",
           "Open Senders and set the DNS records up; the page checks each of them."),
    Reason("spf", "sender", "SPF did not pass",
           "The server that sent it is not among those that your domain allows.",
           "Add the sending service to your domain's SPF record: Senders shows the line."),
    Reason("dkim", "sender", "DKIM did not pass",
           "The mail is not signed, or its signature does not fit your domain's key.",
           "Check the DKIM record on the Senders page; a key that was renewed may not be published yet."),
    Reason("dmarc", "sender", "The domain's own policy (DMARC) refused it",
           "The From domain asks providers to refuse mail that it did not sign itself, or publishes no policy at all.",
           "Let SPF or DKIM pass for exactly the domain in From, and publish a DMARC record: Senders shows both."),
    Reason("reverse_dns", "sender", "The sending server has no proper name",
           "Its address has no name in the DNS (PTR), or the name does not lead back to it.",
           "Whoever runs the server sets the PTR record; with a sending service, ask it."),
    Reason("tls", "sender", "The connection was not encrypted",
           "The provider takes mail over TLS only.",
           "Turn TLS on for the mail server under Settings, Sending."),
    Reason("refused_by_reader", "address", "The reader's organisation does not want it",
           "A rule of the recipient or of their organisation refuses mail from outside, from you, or to this group.",
           "Only they can change that: ask your contact to allow your domain."),
    Reason("policy", "sender", "Refused by a rule of the provider",
           "The provider refuses the mail by policy and does not say which.",
           "Read its words below: they often hold a link. Reputation and authentication are the usual causes."),
    Reason("unreachable", "time", "The mail server could not be reached",
           "Nobody answered at the recipient's domain, or the way there does not work.",
           "Nothing to do if it is a few; a whole domain that fails for days is usually gone."),
    Reason("expired", "time", "It was tried for too long",
           "The mail could not be handed over for days, so the sending service gave up.",
           "See the delays on the same domain: they say what stood in the way."),
    Reason("busy", "time", "The mail server was not ready",
           "The other side had a fault or no room of its own.",
           "Nothing to do; it passes."),
    Reason("suppressed_by_provider", "address", "The sending service held it back",
           "The service has the address on its own list of bounces, complaints or unsubscribes.",
           "Nothing to do; to mail a person who asks for it again, take the address off the service's list as well."),
    Reason("unknown", "address", "No reason was given",
           "The server said no, and nothing that we understand besides.",
           "Its words, when there are any, stand below."),
    Reason("forgotten", "address", "The reason is not kept any more",
           "It bounced so long ago that the events of that time have been cleared away; the count stays.",
           "Nothing to do."),
)  # fmt: skip
REASONS: dict[str, Reason] = {reason.key: reason for reason in _ALL}

#: Subject and detail of an enhanced status code (`5.1.1` -> `1.1`) -> key of the reason. Class 4 or 5 does not matter.
CODES: dict[str, str] = {
    "1.0": "bad_address", "1.1": "no_mailbox", "1.2": "no_domain", "1.3": "bad_address", "1.4": "bad_address",
    "1.6": "moved", "1.7": "policy", "1.8": "policy", "1.10": "no_domain",
    "2.0": "mailbox_disabled", "2.1": "mailbox_disabled", "2.2": "mailbox_full", "2.3": "too_large",
    "2.4": "refused_by_reader",
    "3.0": "busy", "3.1": "mailbox_full", "3.2": "busy", "3.3": "busy", "3.4": "too_large", "3.5": "busy",
    "4.0": "unreachable", "4.1": "unreachable", "4.2": "unreachable", "4.3": "unreachable", "4.4": "no_domain",
    "4.5": "busy", "4.6": "unreachable", "4.7": "expired",
    "5.0": "busy", "5.1": "busy", "5.2": "bad_address", "5.3": "rate", "5.4": "busy", "5.5": "busy", "5.6": "content",
    "6.0": "content", "6.1": "content", "6.2": "content", "6.3": "content", "6.5": "content", "6.6": "content",
    "7.0": "policy", "7.1": "policy", "7.2": "refused_by_reader", "7.3": "policy", "7.4": "policy", "7.5": "policy",
    "7.7": "content", "7.8": "policy", "7.9": "policy", "7.10": "tls", "7.13": "mailbox_disabled",
    "7.17": "moved", "7.18": "no_domain",
    "7.20": "dkim", "7.21": "dkim", "7.22": "dkim", "7.23": "spf", "7.24": "spf", "7.25": "reverse_dns",
    "7.26": "no_authentication", "7.27": "no_domain", "7.28": "spam_rate", "7.29": "dkim", "7.30": "tls",
}  # fmt: skip
#: What one provider means by a code, where that differs: provider (of `PROVIDERS`) -> code -> reason.
CODES_OF: dict[str, dict[str, str]] = {
    "Gmail": {
        "2.1": "recipient_rate", "4.5": "rate", "7.0": "content", "7.1": "spam_rate", "7.27": "spf",
        "7.28": "spam_rate", "7.29": "tls", "7.30": "dkim", "7.31": "dmarc", "7.32": "dmarc", "7.40": "dmarc",
    },
    "Outlook": {
        "1.10": "no_mailbox", "4.1": "no_mailbox", "5.0": "no_mailbox", "7.1": "blocked", "7.12": "refused_by_reader",
        "7.124": "refused_by_reader", "7.133": "refused_by_reader", "7.501": "spam_rate", "7.508": "rate",
        "7.509": "dmarc", "7.511": "blocked", "7.515": "no_authentication", "7.650": "rate", "7.708": "blocked",
        "7.750": "no_authentication",
    },
    "Yahoo": {"7.0": "rate", "7.1": "blocked", "7.9": "dmarc", "0.0": "mailbox_disabled"},
    "iCloud": {"7.1": "content", "2.2": "mailbox_full"},
}  # fmt: skip

#: Words of servers, the first that occurs counts; they say more than a code where both are there.
_WORDS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (key, re.compile(pattern, re.IGNORECASE))
    for key, pattern in (
        ("suppressed_by_provider", r"^(bounced|unsubscribed|spam reporting) address$|suppression list"),
        ("mailbox_full", r"mailbox (is )?full|over ?quota|quota exceeded|out of storage|insufficient storage"),
        ("mailbox_disabled", r"(account|mailbox|user)\b.{0,40}\b(disabled|inactive|suspended|deactivated|locked)"),
        ("recipient_rate", r"receiving mail (too quickly|at a rate)"),
        ("no_domain", r"(domain|host)( name)? (not found|does not exist|has no (mx|mail))|null ?mx|nxdomain"),
        ("no_mailbox", (r"(user|mailbox|recipient|account|address)\b.{0,40}\b(unknown|not found|does ?n[o']t exist)"
                       r"|no such (user|mailbox|recipient|person)|unknown (user|recipient|mailbox)|recipientnotfound"
                       r"|invalid (recipient|mailbox)|user unknown")),
        ("dmarc", r"\bdmarc\b"),
        ("dkim", r"\bdkim\b"),
        ("spf", r"\bspf\b"),
        ("reverse_dns", r"\bptr\b|reverse dns|rdns"),
        ("blocked", r"spamhaus|barracuda|sorbs|block ?list|blacklist|\brbl\b|\bs3140\b|banned send|listed (at|in|on)"),
        ("spam_rate", r"\btss0?4\b|user complaints|unsolicited|low reputation|poor reputation"),
        ("rate", (r"\brp-00\d\b|rate ?limit|too many (messages|connections|recipients)|throttl|try again later"
                 r"|daily .{0,20}(quota|limit)")),
        ("too_large", r"(message|mail) (size )?(is )?(too (large|big)|exceeds)|size limit"),
        ("content", r"\b(virus|malware|phish|spam|content)"),
        ("tls", r"starttls|\btls\b"),
        ("expired", r"(delivery|message) (time )?expired|delivery temporarily suspended|too long in queue"),
        ("unreachable", r"connection (refused|timed out|reset)|no route|unreachable|timed? ?out"),
    )
)  # fmt: skip
#: Codes that say nothing by themselves; the server's words come first there.
_VAGUE = frozenset({"0.0", "1.0", "2.0", "3.0", "4.0", "5.0", "6.0", "7.0", "7.1", "2.1"})
_ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3}\.\d{1,3})(?![\d.])")


def enhanced_code(*texts: str) -> str:
    """Return the first enhanced status code (RFC 3463) that stands in one of the texts, or ''."""
    for text in texts:
        if found := _ENHANCED.search(text):
            return f"{found[1]}.{found[2]}"
    return ""


def reason_of(*, code: str, words: str, provider: str = "") -> Reason:
    """Return what a refusal means.

    Args:
        code: what stood for a code in the report: `5.1.1`, `550 5.1.1` or `550`.
        words: what the server said.
        provider: whose mailbox it is, a value of `analytics.selectors.mailboxes.PROVIDERS`.
    """
    exact = enhanced_code(code, words)[2:]
    own = CODES_OF.get(provider, {}).get(exact)
    said = next((key for key, pattern in _WORDS if pattern.search(words)), "")
    if exact in _VAGUE or not exact:
        return REASONS[said or own or CODES.get(exact, "unknown")]
    subject = f"{exact.partition('.')[0]}.0"
    return REASONS[own or CODES.get(exact) or said or CODES.get(subject, "unknown")]
