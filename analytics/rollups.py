"""The figures that pages read: raised by what a batch of events changed, in the transaction that stores the events.

Nothing here counts history. Counters that go by message (delivered, unique opens) come as `Transitions` from
`campaigns.services.facts`; counters that go by event (all opens, minutes, links) are counted over the batch's own
new events, which stand in the temporary table `event_fresh`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from zlib import crc32

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
#: Only readers of old mails may have clicked in a time that is archived by now.
_ARCHIVED_CLICKS = """
     UNION
    SELECT archived.link_id, archived.message_id
      FROM clicks JOIN analytics_eventarchive AS archived USING (message_id, link_id, actor)
     WHERE clicks.actor = 'human' AND archived.kind = 'clicked'
"""
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
     WHERE clicks.actor = 'human' AND stored.kind = 'clicked' AND event_fresh.id IS NULL {archived}
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


_BREAKDOWN_COUNTERS = ("opens", "clicks", "delivered", "deferred", "bounced", "complained")

#: Counts of events by what their readers used; few combinations, which are only then split by dimension. What goes by
#: message comes as arrays, in the same statement, so that all consumers lock the rows in one order.
_RAISE_BREAKDOWNS = """
WITH counted AS (
    SELECT campaign_id, device, client, country, mailbox,
           count(*) FILTER (WHERE kind = 'opened') AS opens, count(*) FILTER (WHERE kind = 'clicked') AS clicks,
           count(*) FILTER (WHERE kind = 'deferred') AS deferred
      FROM event_fresh
     WHERE campaign_id IS NOT NULL AND (kind = 'deferred' OR (actor = 'human' AND kind IN ('opened', 'clicked')))
     GROUP BY campaign_id, device, client, country, mailbox
), split AS (
    SELECT campaign_id, dimension, value, opens, clicks, 0 AS delivered, deferred, 0 AS bounced, 0 AS complained
      FROM counted CROSS JOIN LATERAL (VALUES ('device', device), ('client', client), ('country', country),
                                              ('mailbox', mailbox)) AS dimensions (dimension, value)
     UNION ALL
    SELECT campaign_id, 'mailbox', mailbox, 0, 0, delivered, 0, bounced, complained
      FROM unnest(%s::uuid[], %s::text[], %s::int[], %s::int[], %s::int[])
           AS told (campaign_id, mailbox, delivered, bounced, complained)
)
INSERT INTO analytics_breakdown AS breakdowns (campaign_id, dimension, value, {names})
SELECT campaign_id, dimension, value, {sums} FROM split WHERE value <> ''
 GROUP BY campaign_id, dimension, value ORDER BY campaign_id, dimension, value
ON CONFLICT (campaign_id, dimension, value) DO UPDATE SET {raises}
""".format(  # noqa: S608 our own column names
    names=", ".join(_BREAKDOWN_COUNTERS),
    sums=", ".join(f"sum({name})" for name in _BREAKDOWN_COUNTERS),
    raises=", ".join(f"{name} = breakdowns.{name} + EXCLUDED.{name}" for name in _BREAKDOWN_COUNTERS),
)

#: Batches that only raise figures lock them in one order and may run side by side; one that corrects what was counted
#: before locks them as it finds them, so it runs alone.
_COUNT_LOCK = crc32(b"analytics.rollups")


def raise_figures(transitions: Iterable[Transitions], *, has_old_readers: bool) -> None:
    """Raise all rollups by what the events in `event_fresh` are and changed. Runs inside the caller's transaction.

    Args:
        transitions: what happened for the first time to a message.
        has_old_readers: whether clicks may be known from the archive only.
    """
    deltas: dict[tuple[Any, Any], dict[str, int]] = {}
    by_mailbox: dict[tuple[Any, str], list[int]] = {}
    for transition in transitions:
        counts = asdict(transition)
        campaign_id, variant_id, mailbox = counts.pop("campaign_id"), counts.pop("variant_id"), counts.pop("mailbox")
        _add(deltas.setdefault((campaign_id, variant_id), {}), counts)
        told = by_mailbox.setdefault((campaign_id, mailbox), [0, 0, 0])
        for position, name in enumerate(("delivered", "bounced", "complained")):
            told[position] += counts[name]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [_COUNT_LOCK])
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
        cursor.execute(_RAISE_LINKS.format(archived=_ARCHIVED_CLICKS if has_old_readers else ""))
        told_rows = [(*key, *counts) for key, counts in by_mailbox.items()]
        cursor.execute(_RAISE_BREAKDOWNS, [list(column) for column in zip(*told_rows, strict=True)] or [[]] * 5)


def _add(total: dict[str, int], counts: dict[str, int]) -> None:
    for name, count in counts.items():
        total[name] = total.get(name, 0) + count


@dataclass(frozen=True, slots=True)
class _Table:
    """Where the counters of one rollup are, and what finds a row."""

    name: str
    keys: tuple[str, ...]
    counters: tuple[str, ...]


#: Rollup -> its table, for corrections.
_TABLES: dict[str, _Table] = {
    "stats": _Table("analytics_campaignstats", ("campaign_id", "variant_id"), _COUNTERS),
    "minutes": _Table("analytics_eventminute", ("campaign_id", "minute"), tuple(_MINUTE_COUNTERS)),
    "links": _Table("analytics_linkstats", ("link_id", "campaign_id"), ("clicks", "unique_clicks", "machine_clicks")),
    "breakdowns": _Table("analytics_breakdown", ("campaign_id", "dimension", "value"), _BREAKDOWN_COUNTERS),
}
#: `(rollup, key, counter)` -> by how much it changes.
Shifts = Mapping[tuple[str, tuple[Any, ...], str], int]


def run_alone() -> None:
    """Wait until nobody else counts, and let nobody until this transaction ends. Before the first rollup is touched."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_COUNT_LOCK])


def shift_figures(shifts: Shifts) -> None:
    """Correct rollups by differences of either sign. The caller has called `run_alone`."""
    rows: dict[tuple[str, tuple[Any, ...]], dict[str, int]] = {}
    for (rollup, key, counter), difference in shifts.items():
        if difference:
            rows.setdefault((rollup, key), {})[counter] = difference
    with connection.cursor() as cursor:
        for (rollup, key), differences in rows.items():
            table = _TABLES[rollup]
            if any(difference > 0 for difference in differences.values()):  # a row may not be there yet
                cursor.execute(
                    f"INSERT INTO {table.name} ({', '.join((*table.keys, *table.counters))}) "  # noqa: S608
                    f"VALUES ({', '.join('%s' for _ in table.keys)}, {', '.join('0' for _ in table.counters)}) "
                    "ON CONFLICT DO NOTHING",
                    key,
                )
            cursor.execute(
                f"UPDATE {table.name} SET {', '.join(f'{name} = {name} + %s' for name in differences)} "  # noqa: S608
                f"WHERE {' AND '.join(f'{name} = %s' for name in table.keys)}",
                [*differences.values(), *key],
            )
