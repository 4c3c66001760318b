"""The figures that pages read: raised by what a batch of events changed, in the transaction that stores the events.

Nothing here counts history. Counters that go by message (delivered, unique opens) come as `Transitions` from
`campaigns.services.facts`; counters that go by event (all opens, minutes, links) are counted over the batch's own
new events, which stand in the temporary table `event_fresh`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from django.db import connection

from campaigns.services.facts import Transitions

_COUNTERS = (
    "delivered", "returned", "deferred", "bounced", "complained", "unsubscribed", "opens", "unique_opens",
    "machine_opens", "any_opens", "clicks", "unique_clicks", "machine_clicks", "any_clicks",
)  # fmt: skip

_BY_EVENT = """
SELECT campaign_id, variant_id,
       count(*) FILTER (WHERE kind = 'deferred'),
       count(*) FILTER (WHERE kind = 'opened' AND actor = 'human'),
       count(*) FILTER (WHERE kind = 'clicked' AND actor = 'human')
  FROM event_fresh WHERE campaign_id IS NOT NULL AND variant_id IS NOT NULL GROUP BY campaign_id, variant_id
"""

_RAISE_STATS = (
    f"INSERT INTO analytics_campaignstats AS stats (campaign_id, variant_id, {', '.join(_COUNTERS)}) "  # noqa: S608
    f"VALUES (%s, %s, {', '.join('%s' for _ in _COUNTERS)}) ON CONFLICT (campaign_id, variant_id) DO UPDATE SET "
    + ", ".join(f"{name} = stats.{name} + EXCLUDED.{name}" for name in _COUNTERS)
)

#: Column of `EventMinute` -> which events it counts.
_MINUTE_COUNTERS = {
    "delivered": "kind = 'delivered'",
    "human_opens": "kind = 'opened' AND actor = 'human'",
    "machine_opens": "kind = 'opened' AND actor = 'machine'",
    "human_clicks": "kind = 'clicked' AND actor = 'human'",
    "machine_clicks": "kind = 'clicked' AND actor = 'machine'",
    "bounced": "kind = 'bounced'",
    "complained": "kind = 'complained'",
    "unsubscribed": "kind = 'unsubscribed'",
}

_RAISE_MINUTES = (
    f"INSERT INTO analytics_eventminute AS minutes (campaign_id, minute, {', '.join(_MINUTE_COUNTERS)}) "  # noqa: S608
    f"SELECT campaign_id, date_trunc('minute', occurred_at, 'UTC') AS minute, "
    + ", ".join(f"count(*) FILTER (WHERE {test})" for test in _MINUTE_COUNTERS.values())
    + " FROM event_fresh WHERE campaign_id IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2 "
    "ON CONFLICT (campaign_id, minute) DO UPDATE SET "
    + ", ".join(f"{name} = minutes.{name} + EXCLUDED.{name}" for name in _MINUTE_COUNTERS)
)

#: A message's first human click on a link is new when no stored event outside this batch shows one. The messages are
#: locked by now, so no other batch can be storing the same pair.
_RAISE_LINKS = """
WITH clicks AS (
    SELECT link_id, campaign_id, message_id, actor, count(*) AS times
      FROM event_fresh
     WHERE kind = 'clicked' AND link_id IS NOT NULL AND campaign_id IS NOT NULL
     GROUP BY link_id, campaign_id, message_id, actor
), known AS (
    SELECT DISTINCT stored.link_id, stored.message_id
      FROM clicks JOIN analytics_event AS stored USING (message_id, link_id, actor)
      LEFT JOIN event_fresh USING (id)
     WHERE clicks.actor = 'human' AND stored.kind = 'clicked' AND event_fresh.id IS NULL
), first_clicks AS (
    SELECT link_id, message_id FROM clicks WHERE actor = 'human'
    EXCEPT SELECT link_id, message_id FROM known
)
INSERT INTO analytics_linkstats AS stats (link_id, campaign_id, clicks, unique_clicks, machine_clicks)
SELECT clicks.link_id, min(clicks.campaign_id::text)::uuid,
       coalesce(sum(times) FILTER (WHERE actor = 'human'), 0),
       count(first_clicks.message_id) FILTER (WHERE actor = 'human'),
       coalesce(sum(times) FILTER (WHERE actor = 'machine'), 0)
  FROM clicks LEFT JOIN first_clicks USING (link_id, message_id)
 GROUP BY clicks.link_id ORDER BY clicks.link_id
ON CONFLICT (link_id) DO UPDATE SET clicks = stats.clicks + EXCLUDED.clicks,
    unique_clicks = stats.unique_clicks + EXCLUDED.unique_clicks,
    machine_clicks = stats.machine_clicks + EXCLUDED.machine_clicks
"""


def raise_figures(transitions: Iterable[Transitions]) -> None:
    """Raise all rollups by what the events in `event_fresh` are and changed. Runs inside the caller's transaction."""
    deltas: dict[tuple[Any, Any], dict[str, int]] = {}
    for transition in transitions:
        counts = asdict(transition)
        deltas[counts.pop("campaign_id"), counts.pop("variant_id")] = counts
    with connection.cursor() as cursor:
        cursor.execute(_BY_EVENT)
        for campaign_id, variant_id, deferred, opens, clicks in cursor.fetchall():
            counts = deltas.setdefault((campaign_id, variant_id), {})
            counts.update(deferred=deferred, opens=opens, clicks=clicks)
        rows = [
            (*key, *(counts.get(name, 0) for name in _COUNTERS))
            for key, counts in sorted(deltas.items())
            if any(counts.values())
        ]
        if rows:
            cursor.executemany(_RAISE_STATS, rows)
        cursor.execute(_RAISE_MINUTES)
        cursor.execute(_RAISE_LINKS)
