"""One batch of events into PostgreSQL, in one transaction: stored once, facts written, figures raised, effects done."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from uuid import UUID

from django.db import connection, transaction

from analytics import rollups
from analytics.ingest import archive, effects, reclassify
from analytics.ingest.conversions import count_conversions
from analytics.ingest.entries import Incoming, Stray, match
from campaigns.services import facts
from pulsequill.core.event_log import INSERT_STRAYS
from pulsequill.core.ids import uuid7

_TEMPORARY = """
CREATE TEMPORARY TABLE IF NOT EXISTS event_incoming (
    dedupe_key text, workspace_id uuid, campaign_id uuid, variant_id uuid, message_id bigint, link_id bigint,
    kind text, actor text, actor_reason text, occurred_at timestamptz, source text, user_agent text, ip_address inet,
    data jsonb, device text, client text, country text, mailbox text
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS event_fresh (
    id bigint, message_id bigint, campaign_id uuid, variant_id uuid, link_id bigint, kind text, actor text,
    occurred_at timestamptz, bounce_type text, device text, client text, country text, mailbox text
) ON COMMIT DELETE ROWS;
TRUNCATE event_incoming, event_fresh
"""

_COPY = (
    "COPY event_incoming (dedupe_key, workspace_id, campaign_id, variant_id, message_id, link_id, kind, actor, "
    "actor_reason, occurred_at, source, user_agent, ip_address, data, device, client, country, mailbox) FROM STDIN"
)

#: Sorted, so that two consumers that hold the same events wait for each other in the same order.
_INSERT = """
WITH stored AS (
    INSERT INTO analytics_event (workspace_id, campaign_id, message_id, link_id, kind, actor, actor_reason, dedupe_key,
                                 occurred_at, received_at, source, user_agent, ip_address, data,
                                 device, client, country, mailbox)
    SELECT workspace_id, campaign_id, message_id, link_id, kind, actor, actor_reason, dedupe_key, occurred_at, now(),
           source, user_agent, ip_address, data, device, client, country, mailbox
      FROM event_incoming ORDER BY dedupe_key
    ON CONFLICT (dedupe_key) DO NOTHING
    RETURNING id, dedupe_key
)
INSERT INTO event_fresh
SELECT stored.id, message_id, campaign_id, variant_id, link_id, kind, actor, occurred_at, data ->> 'bounce_type',
       device, client, country, mailbox
  FROM stored JOIN event_incoming USING (dedupe_key)
"""

#: Temporary tables have no statistics of their own; for large batches the planner must know that they are large, and
#: hardly more.
ANALYZE_FROM = 500

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def _cell(text: str) -> str:
    """Return a text as COPY wants it; most are letters and digits, which need nothing."""
    return text if text.isalnum() else text.translate(_ESCAPES)


@lru_cache(maxsize=4096)
def _agent(text: str) -> str:
    """Return a user agent as COPY wants it: readers have few of them, and escaping one takes as long as its event."""
    return text.replace("\x00", "").translate(_ESCAPES)


def _copy_line(event: Incoming) -> str:
    """Return the event as a line of COPY's text format (PostgreSQL, COPY, "Text Format")."""
    return "\t".join(
        (
            _cell(event.key),
            event.workspace_id or "\\N",
            event.campaign_id or "\\N",
            event.variant_id or "\\N",
            "\\N" if event.message_id is None else str(event.message_id),
            "\\N" if event.link_id is None else str(event.link_id),
            event.kind,
            event.actor,
            event.reason,
            event.occurred_at.isoformat(),
            _cell(event.source),
            _agent(event.agent),
            event.ip or "\\N",
            json.dumps(event.data).translate(_ESCAPES) if event.data else "{}",
            event.device,
            event.client,
            event.country,
            event.mailbox,
        )
    )


def keep_strays(strays: Sequence[Stray]) -> None:
    """Keep lines that can not be counted, once each, with the reason."""
    rows = []
    for stray in strays:
        text = stray.line.decode("utf-8", "replace").replace("\x00", "")
        if not stray.key:
            text = json.dumps({"unreadable": text[:2000]}).replace("\\u0000", "")
        rows.append((text, stray.key or uuid7().hex, stray.problem[:200]))
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(INSERT_STRAYS, [list(column) for column in zip(*rows, strict=True)])


def store(lines: Sequence[bytes]) -> set[UUID]:
    """Store and count a batch of event-log lines; whoever calls it again with the same lines changes nothing.

    Returns:
        The ids of the campaigns whose figures may have changed.

    Raises:
        django.db.Error, psycopg.Error: nothing of the batch is stored.
    """
    with transaction.atomic():
        incoming, strays = match(lines)
        campaigns = {event.campaign_id for event in incoming if event.campaign_id is not None}
        incoming, forgotten = archive.sort_out(incoming)
        keep_strays([*strays, *forgotten])
        if incoming and _insert(incoming):
            _count(incoming)
    # Also when nothing was new: whoever stored it first may have died before telling the open pages.
    return set(map(UUID, campaigns))


def _insert(incoming: Sequence[Incoming]) -> bool:
    """Store the events that are new, leave them in `event_fresh`, and return whether there are any."""
    with connection.cursor() as cursor:
        cursor.execute(_TEMPORARY)
        with cursor.copy(_COPY) as copy:
            copy.write("\n".join(map(_copy_line, incoming)) + "\n")
        if len(incoming) >= ANALYZE_FROM:
            cursor.execute("ANALYZE event_incoming (dedupe_key)")
        cursor.execute(_INSERT)
        is_news = cursor.rowcount > 0
        if len(incoming) >= ANALYZE_FROM:
            cursor.execute("ANALYZE event_fresh (message_id, kind)")
    return bool(is_news)


def _count(incoming: Sequence[Incoming]) -> None:
    """Make facts, figures and effects of the events in `event_fresh`."""
    scanned = facts.lock_messages(relation="event_fresh")
    if any(event.is_in_doubt for event in incoming):
        effects.settle_doubts()
    correction = reclassify.judge_fresh({event.message_id for event in incoming if event.kind == "clicked"}, scanned)
    if correction:
        rollups.run_alone()
        reclassify.apply(correction)
    rollups.raise_figures(
        facts.record_facts(relation="event_fresh"), has_old_readers=any(map(archive.may_be_archived, incoming))
    )
    count_conversions()
    effects.apply()
