"""Why mails of one campaign came back, were refused, or were answered with "no more": grouped, in plain language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from analytics.reports.campaign_bounce_words import REASONS, Reason, enhanced_code, reason_of
from analytics.selectors.mailboxes import OTHER, provider_of
from campaigns.models import Campaign, Message

#: So many of a server's own words are kept for each reason.
MOST_WORDS = 3
LONGEST_WORDS = 300
#: More codes, domains and wordings than this in one campaign are not told apart.
MOST_GROUPS = 5_000

#: Both ask few rows: the index `event_bounced` holds nothing else, the archive is asked by campaign, and refused rows
#: have a status of their own.
_RETURNED = """
SELECT coalesce(nullif(event.data ->> 'code', ''), ''), left(coalesce(event.data ->> 'detail', ''), 300),
       split_part(message.email_normalized, '@', 2), message.bounce_type, count(DISTINCT message.id), min(message.id)
  FROM (SELECT message_id, data FROM analytics_event WHERE campaign_id = %s AND kind = 'bounced'
        UNION ALL
        SELECT message_id, data FROM analytics_eventarchive WHERE campaign_id = %s AND kind = 'bounced') AS event
  JOIN campaigns_message AS message ON message.id = event.message_id
 WHERE message.bounced_at IS NOT NULL
 GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC, 6 LIMIT %s
"""
_REFUSED = """
SELECT message.last_error_code, message.reason, split_part(message.email_normalized, '@', 2), 'hard',
       count(*), min(message.id)
  FROM campaigns_message AS message
 WHERE message.campaign_id = %s AND message.status = 'failed' AND NOT message.is_test
 GROUP BY 1, 2, 3 ORDER BY 5 DESC, 6 LIMIT %s
"""
_WORDS = """
SELECT DISTINCT ON (message_id) message_id, coalesce(data ->> 'code', ''), coalesce(data ->> 'detail', '')
  FROM (SELECT id, message_id, data FROM analytics_event WHERE message_id = ANY(%s) AND kind = 'bounced'
        UNION ALL
        SELECT id, message_id, data FROM analytics_eventarchive WHERE message_id = ANY(%s) AND kind = 'bounced'
       ) AS event
 ORDER BY message_id, id
"""


@dataclass
class BounceGroup:
    """All mails that came back for one reason."""

    reason: Reason
    count: int = 0
    hard: int = 0
    share: float = 0.0
    codes: Counter[str] = field(default_factory=Counter)
    providers: Counter[str] = field(default_factory=Counter)
    words: list[str] = field(default_factory=list)

    @property
    def top_codes(self) -> list[str]:
        """Its codes, the most frequent first."""
        return [code for code, _ in self.codes.most_common(4)]

    @property
    def top_providers(self) -> list[tuple[str, int]]:
        """Whose mailboxes they were, the most frequent first."""
        return self.providers.most_common(4)

    def as_dict(self) -> dict[str, Any]:
        """Return the group as `/v1` shows it."""
        return {
            "reason": self.reason.key, "concerns": self.reason.concerns, "title": self.reason.title,
            "meaning": self.reason.meaning, "advice": self.reason.advice, "count": self.count, "hard": self.hard,
            "share": self.share, "codes": dict(self.codes.most_common(4)), "providers": dict(self.top_providers),
            "examples": self.words,
        }  # fmt: skip


@dataclass(frozen=True)
class Bounces:
    """What came back after it was sent, and what was refused when it was handed over."""

    returned: list[BounceGroup]
    refused: list[BounceGroup]
    by_provider: list[dict[str, Any]]


def get_bounces(campaign: Campaign, *, bounced: int, sent_by_provider: Iterable[dict[str, Any]] = ()) -> Bounces:
    """Return why mails came back.

    Args:
        campaign: which one.
        bounced: how many messages bounced, from the figures; those whose events are gone have no reason any more.
        sent_by_provider: rows of `get_providers`, for the rate of each.
    """
    with connection.cursor() as cursor:
        cursor.execute(_RETURNED, [campaign.pk, campaign.pk, MOST_GROUPS])
        returned = _grouped(cursor.fetchall())
        cursor.execute(_REFUSED, [campaign.pk, MOST_GROUPS])
        refused = _grouped(cursor.fetchall())
    if (missing := bounced - sum(group.count for group in returned)) > 0:
        returned.append(BounceGroup(REASONS["forgotten"], count=missing))
    for groups in (returned, refused):
        total = sum(group.count for group in groups)
        for group in groups:
            group.share = round(group.count / total, 4) if total else 0.0
    return Bounces(returned, refused, _by_provider(returned, sent_by_provider))


def _grouped(rows: Iterable[tuple[str, str, str, str, int, int]]) -> list[BounceGroup]:
    groups: dict[str, BounceGroup] = {}
    for code, words, domain, bounce_type, count, _ in rows:
        provider = provider_of(domain)
        reason = reason_of(code=code, words=words, provider=provider)
        group = groups.setdefault(reason.key, BounceGroup(reason))
        group.count += count
        group.hard += count if bounce_type == "hard" else 0
        if exact := enhanced_code(code, words):
            group.codes[exact] += count
        group.providers[provider if provider != OTHER else domain or OTHER] += count
        if words and len(group.words) < MOST_WORDS and words not in group.words:
            group.words.append(words[:LONGEST_WORDS])
    return sorted(groups.values(), key=lambda group: (-group.count, group.reason.key))


def _by_provider(groups: Iterable[BounceGroup], sent: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return each provider with what bounced there, its rate, and the reason that is most frequent there."""
    bounced: Counter[str] = Counter()
    leading: dict[str, tuple[int, str]] = {}
    for group in groups:
        for provider, count in group.providers.items():
            bounced[provider] += count
            leading[provider] = max(leading.get(provider, (0, "")), (count, group.reason.title))
    known = {row["provider"]: row["sent"] for row in sent}
    return [
        {
            "provider": provider, "bounced": count, "sent": known.get(provider, 0),
            "rate": round(count / known[provider], 6) if known.get(provider) else None,
            "reason": leading[provider][1],
        }
        for provider, count in bounced.most_common(12)
    ]  # fmt: skip


def find_bounced(campaign: Campaign) -> Any:
    """Return the ledger rows whose mail came back."""
    rows = Message.objects.for_workspace(campaign.workspace_id).filter(campaign=campaign, is_test=False)
    return rows.filter(bounced_at__isnull=False)


def words_of(messages: Iterable[Message]) -> dict[int, tuple[Reason, str]]:
    """Return for messages that bounced the reason and the server's words, by key: one query for a page of them."""
    rows = {message.pk: message for message in messages}
    with connection.cursor() as cursor:
        cursor.execute(_WORDS, [list(rows), list(rows)])
        told = {row[0]: row[1:] for row in cursor.fetchall()}
    found = {}
    for key, message in rows.items():
        code, words = told.get(key, ("", ""))
        provider = provider_of(message.email_normalized.rpartition("@")[2])
        known = key in told
        found[key] = (reason_of(code=code, words=words, provider=provider) if known else REASONS["forgotten"], words)
    return found
