"""How many rows of a ledger have each status, without reading a million of them for each look.

A small ledger is counted. A large one is counted now and then, and the last count is brought forward by what the
minutes (`DeliveryMinute`) say has been sent and failed since: exact at each count, and in between as exact as rows move
in the usual way, from waiting to sent or failed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.db import connection
from redis.exceptions import RedisError

from campaigns.models import Campaign, Message

#: Key of the whole campaign beside the variants' ids.
TOTAL = "total"
#: Up to this many rows a count takes a few milliseconds and is made anew each time.
COUNTED_ANEW = 5_000
#: A count may cost this part of the time that it is kept, within these bounds (seconds).
COST_SHARE = 0.02
KEPT_S = (2.0, 60.0)
#: Rows that were waiting when they were counted and were sent since are taken from these, in this order.
_LEAVE = ("queued", "sending", "retrying", "in_doubt", "held")

#: One statement, so that rows and minutes are of the same moment.
_COUNT = """
SELECT variant_id::text, status, count(*) FROM campaigns_message
 WHERE campaign_id = %(campaign)s AND NOT is_test GROUP BY 1, 2
UNION ALL SELECT variant_id::text, '+sent', sum(sent) FROM campaigns_deliveryminute
 WHERE campaign_id = %(campaign)s GROUP BY 1
UNION ALL SELECT variant_id::text, '+failed', sum(failed) FROM campaigns_deliveryminute
 WHERE campaign_id = %(campaign)s GROUP BY 1
"""

Counts = dict[str, dict[str, int]]
#: Variant's id -> (sent, failed) by the minutes.
Minutes = Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Tally:
    """A ledger as it was counted, and what the minutes said at that moment."""

    counts: Counts
    minutes: dict[str, tuple[int, int]]
    campaign_status: str
    until: float

    def is_fresh(self, campaign: Campaign) -> bool:
        """Whether it need not be counted again yet; a campaign that was paused or has ended meanwhile must be."""
        return time.time() < self.until and self.campaign_status == campaign.status

    def brought_forward(self, minutes: Minutes) -> Counts:
        """Return the counts as they are by now, given what the minutes say now."""
        counts = {key: dict(statuses) for key, statuses in self.counts.items()}
        total = counts[TOTAL]
        for variant, (sent, failed) in minutes.items():
            was_sent, was_failed = self.minutes.get(variant, (0, 0))
            own = counts.setdefault(variant, dict.fromkeys(Message.Status.values, 0))
            for status, more in (("sent", sent - was_sent), ("failed", failed - was_failed)):
                _move(own, status, more)
                _move(total, status, more)
        return counts


def _move(counts: dict[str, int], status: str, more: int) -> None:
    """Count `more` rows under a status, and as many fewer under those that they come from."""
    counts[status] = max(0, counts[status] + more)
    if more < 0:  # somebody took back that messages in doubt were sent
        counts["in_doubt"] -= more
        return
    for source in _LEAVE:
        taken = min(more, counts[source])
        counts[source] -= taken
        more -= taken


def get_tally(campaign: Campaign, *, may_count: bool = True) -> Tally:
    """Return the last count of a campaign's ledger, or a new one when that is due.

    Args:
        campaign: whose ledger; test sends are left out.
        may_count: False when whoever asks must not wait: an old count is good enough, if there is one.
    """
    if campaign.recipients <= COUNTED_ANEW:
        return _count(campaign)
    kept = _kept(campaign)
    if kept is not None and (not may_count or kept.is_fresh(campaign)):
        return kept
    with _counting:  # whoever waited finds the other one's count
        kept = _kept(campaign)
        if kept is not None and kept.is_fresh(campaign):
            return kept
        counted = _count(campaign)
        _keep(campaign, counted)
        return counted


_counting = threading.Lock()
#: What this process counted last, for while Valkey is away. Few campaigns are so large.
_own: dict[str, Tally] = {}
_MOST_OWN = 100


def _key(campaign: Campaign) -> str:
    return f"tally:{campaign.pk}"


def _kept(campaign: Campaign) -> Tally | None:
    try:
        kept: Tally | None = cache.get(_key(campaign))
    except (RedisError, OSError):
        return _own.get(_key(campaign))
    return kept


def _keep(campaign: Campaign, tally: Tally) -> None:
    if len(_own) >= _MOST_OWN:
        _own.clear()
    _own[_key(campaign)] = tally
    try:
        cache.set(_key(campaign), tally, 60 * 60)
    except (RedisError, OSError):
        return


def _count(campaign: Campaign) -> Tally:
    started = time.perf_counter()
    counts: Counts = {TOTAL: dict.fromkeys(Message.Status.values, 0)}
    minutes: dict[str, list[int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"campaign": campaign.pk})
        rows: list[tuple[Any, str, Any]] = cursor.fetchall()
    for variant, status, count in rows:
        if status.startswith("+"):
            minutes.setdefault(str(variant), [0, 0])[status == "+failed"] = int(count or 0)
            continue
        own = counts.setdefault(str(variant), dict.fromkeys(Message.Status.values, 0))
        own[status] += count
        counts[TOTAL][status] += count
    shortest, longest = KEPT_S
    kept_s = min(max((time.perf_counter() - started) / COST_SHARE, shortest), longest)
    read = {variant: (sent, failed) for variant, (sent, failed) in minutes.items()}
    return Tally(counts, read, campaign.status, time.time() + kept_s)
