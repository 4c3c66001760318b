"""Was it a person? Every open and click gets a class and the reason for it.

The rules are data. They only ever say "machine" on evidence about this very hit. What several hits of a message show
together (`analytics.ingest.patterns`) is looked for after them.

A user agent of a programming library is no evidence: customers' own checks use one, and scanners do not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

HUMAN, MACHINE, UNKNOWN = "human", "machine", "unknown"
#: Raised whenever a rule changes.
RULES_VERSION = 2


@dataclass(frozen=True)
class AgentRule:
    """A user agent that only machines have."""

    reason: str
    pattern: re.Pattern[str]


def _words(*words: str) -> re.Pattern[str]:
    return re.compile("|".join(words), re.IGNORECASE)


AGENT_RULES: tuple[AgentRule, ...] = (
    # Mail Privacy Protection fetches every picture when the mail arrives, as "Mozilla/5.0" and nothing else.
    AgentRule("apple_privacy", re.compile(r"^Mozilla/5\.0\s*$")),
    AgentRule("image_proxy", _words("GoogleImageProxy", "YahooMailProxy", "OutlookImageProxy")),
    AgentRule(
        "link_scanner",
        _words(
            "Barracuda",
            "Proofpoint",
            "Mimecast",
            "MessageLabs",
            "Symantec",
            "TrendMicro",
            "FireEye",
            "Cloudmark",
            "Sophos",
            "Zscaler",
            "IronPort",
            "Forcepoint",
            "VadeSecure",
            "Avanan",
            "BitDefender",
            "Trellix",
            "Defender for Office",
            "SafeLinks",
            "urlscan",
            "VirusTotal",
            "Hornetsecurity",
            "Area1",
            "Abnormal Security",
        ),
    ),
    AgentRule(
        "link_preview",
        _words(
            "Slackbot",
            "facebookexternalhit",
            "Twitterbot",
            "WhatsApp/",
            "TelegramBot",
            "LinkedInBot",
            "Discordbot",
            "SkypeUriPreview",
            "BingPreview",
            "Google-PageRenderer",
            "Iframely",
            "redditbot",
        ),
    ),
    AgentRule("crawler", re.compile(r"(?:bot|crawler|spider)\b", re.IGNORECASE)),
)

#: Two clocks (ours and a database's) may differ by this much.
CLOCK_SKEW = timedelta(seconds=5)
#: A click sooner than this after the provider took the message is a scanner's. Only for providers that queue and
#: deliver themselves: a relay or the outbox of this machine puts mail into the mailbox at once.
QUICKEST_CLICK: dict[str, timedelta] = {"sendgrid": timedelta(seconds=1)}


@lru_cache(maxsize=4096)
def _agent_reason(agent: str) -> str:
    return next((rule.reason for rule in AGENT_RULES if rule.pattern.search(agent)), "")


def classify(
    *,
    kind: str,
    agent: str,
    data: dict[str, Any],
    occurred_at: datetime,
    claimed_at: datetime | None,
    sent_at: datetime | None,
    provider: str,
    is_honeypot: bool = False,
) -> tuple[str, str]:
    """Return class and reason of one event.

    Args:
        kind: only opens and clicks have a class; everything else is `unknown` for no reason.
        agent: the user agent, possibly empty.
        data: the event's facts; `method` and `is_machine` are read.
        occurred_at: when it happened.
        claimed_at: when the message's last attempt began, if known.
        sent_at: when the provider took the message, if known.
        provider: who carried the message.
        is_honeypot: the link that was followed is hidden from people.
    """
    if kind not in ("opened", "clicked"):
        return UNKNOWN, ""
    if is_honeypot:
        return MACHINE, "honeypot"
    if data.get("method") == "HEAD":
        return MACHINE, "head_request"
    if data.get("is_machine") is True:
        return MACHINE, "provider"
    if reason := _agent_reason(agent):
        return MACHINE, reason
    if claimed_at is not None and sent_at is not None and occurred_at < claimed_at - CLOCK_SKEW:
        return MACHINE, "before_sending"
    quickest = QUICKEST_CLICK.get(provider)
    if kind == "clicked" and quickest and sent_at is not None and sent_at <= occurred_at < sent_at + quickest:
        return MACHINE, "too_quick"
    return HUMAN, ""
