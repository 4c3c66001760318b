"""Old events: moved out of the table that is written to, into a partition for each month, which can be dropped.

Figures are made of facts and rollups, never of events, so nothing on a page moves with them. What still needs an old
event asks here: whether one that arrives is known already, and which links a reader is known to have followed.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zlib import crc32

import structlog
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from psycopg.errors import LockNotAvailable

from analytics.ingest.entries import Incoming, Stray
from analytics.models import ArchiveMonth

logger = structlog.get_logger(__name__)

TABLE = "analytics_eventarchive"
#: Nothing younger is ever archived, so that only older events need to be looked up there.
FEWEST_DAYS = 30
#: Keys that do not age: these reporters may tell of an event again years later, without its time. SendGrid repeats an
#: event for a day, and whatever has no key of its own comes again with its time.
LASTING_KEYS = ("api:", "mail:", "unsubscribed:")
EVENTS_A_BATCH = 5_000
#: So long a move waits for those who hold events where they are; whoever comes meanwhile waits behind it.
LOCK_WAIT = "2s"
#: Whoever must not miss an event while it moves holds this lock together with others; a move holds it alone.
_LOCK = crc32(b"analytics.archive")

_COLUMNS = (
    "id, workspace_id, campaign_id, message_id, link_id, kind, actor, actor_reason, dedupe_key, occurred_at, "
    "received_at, source, user_agent, ip_address, data, device, client, country, mailbox"
)

#: Keys count up in the order of arrival, so the oldest events are the first ones of the primary key.
_NEXT = """
SELECT id, date_trunc('month', received_at, 'UTC')::date FROM (
    SELECT id, received_at FROM analytics_event WHERE id > %s ORDER BY id LIMIT %s
) AS first WHERE received_at < %s
"""

_MOVE = f"""
WITH moved AS (
    DELETE FROM analytics_event WHERE id = ANY(%s) RETURNING {_COLUMNS}
), kept AS (
    INSERT INTO {TABLE} ({_COLUMNS}) SELECT {_COLUMNS} FROM moved RETURNING received_at
)
INSERT INTO analytics_archivemonth AS months (month, events)
SELECT date_trunc('month', received_at, 'UTC')::date, count(*) FROM kept GROUP BY 1
ON CONFLICT (month) DO UPDATE SET events = months.events + EXCLUDED.events, dropped_at = NULL
RETURNING events
"""  # noqa: S608 our own column names

#: The keys that are archived, and the last month of which they were dropped.
_FIND = f"""
SELECT ARRAY(SELECT dedupe_key FROM {TABLE} WHERE dedupe_key = ANY(%s)),
       (SELECT max(month) FROM analytics_archivemonth WHERE dropped_at IS NOT NULL)
"""  # noqa: S608


def retention() -> timedelta:
    """Return how long events stay in the table that is written to."""
    return timedelta(days=max(settings.EVENT_RETENTION_DAYS, FEWEST_DAYS))


def hold() -> None:
    """Keep events where they are until the caller's transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [_LOCK])


def may_be_archived(event: Incoming) -> bool:
    """Return whether an earlier click of this event's reader may be in the archive."""
    return (
        event.kind == "clicked"
        and event.sent_at is not None
        and event.sent_at < timezone.now() - timedelta(days=FEWEST_DAYS)
    )


def sort_out(incoming: Sequence[Incoming]) -> tuple[list[Incoming], list[Stray]]:
    """Take out events that were counted and archived before.

    Returns:
        The events that may be new, and those of a time of which the events were dropped: nobody can tell whether they
        were counted, so they are kept with the reason and not counted.
    """
    limit = timezone.now() - timedelta(days=FEWEST_DAYS)
    old = [event.key for event in incoming if event.occurred_at < limit or event.key.startswith(LASTING_KEYS)]
    if not old:
        return list(incoming), []
    hold()
    with connection.cursor() as cursor:
        cursor.execute(_FIND, [old])
        found: tuple[list[str], date | None] = cursor.fetchone()
        known, dropped = set(found[0]), found[1]
        # One that is still in the table is known too, and is no stray.
        if dropped:
            cursor.execute("SELECT dedupe_key FROM analytics_event WHERE dedupe_key = ANY(%s)", [old])
            known |= {row[0] for row in cursor.fetchall()}
    kept, forgotten = [], []
    for event in incoming:
        if event.key in known:
            continue
        if dropped and event.occurred_at < _start(_next_month(dropped)):
            problem = f"events of {event.occurred_at:%Y-%m} were dropped; it may have been counted"
            forgotten.append(Stray(event.line, event.key, problem))
        else:
            kept.append(event)
    return kept, forgotten


class Move(NamedTuple):
    """How many events were moved, and why a move gave up; empty when it came to its end."""

    events: int
    given_up: str = ""


def move_old_events(*, now: datetime | None = None, seconds: float = 600.0, batch: int = EVENTS_A_BATCH) -> Move:
    """Move events older than the retention, batch by batch; what is left is moved the next time.

    Gives up when somebody holds events where they are for longer than `LOCK_WAIT`: beat comes again.

    Args:
        now: the time to reckon from.
        seconds: how long it may take.
        batch: events in one transaction.

    Returns:
        What was done.
    """
    limit, ends_at = (now or timezone.now()) - retention(), time.monotonic() + seconds
    moved, last, given_up = 0, 0, ""
    while time.monotonic() < ends_at:
        with connection.cursor() as cursor:
            cursor.execute(_NEXT, [last, batch, limit])
            found: list[tuple[int, date]] = cursor.fetchall()
            if not found:
                break
            for month in sorted({month for _, month in found}):
                make_room(month)
            try:
                with transaction.atomic():
                    cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_WAIT}'")
                    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
                    cursor.execute(_MOVE, [[event_id for event_id, _ in found]])
            except OperationalError as error:
                if not isinstance(error.__cause__, LockNotAvailable):
                    raise
                given_up = "Old events are being read or counted just now; the rest is moved the next time."
                logger.warning("archive_move_given_up", events=moved, reason=given_up)
                break
        moved, last = moved + len(found), max(event_id for event_id, _ in found)
    if moved:
        logger.info("events_archived", events=moved, received_before=limit.isoformat())
    return Move(moved, given_up)


def make_room(day: date) -> None:
    """Make the partition for the month of a day, unless it is there."""
    month = day.replace(day=1)
    first, end = _start(month), _start(_next_month(month))
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE IF NOT EXISTS {_partition_name(month)} PARTITION OF {TABLE} "
            f"FOR VALUES FROM ('{first.isoformat()}') TO ('{end.isoformat()}')"
        )


def list_months() -> list[ArchiveMonth]:
    """Return the months that were ever archived, the oldest first."""
    return list(ArchiveMonth.objects.order_by("month"))


def drop_months(*, before: date) -> list[ArchiveMonth]:
    """Drop the archived events of every month before the one of `before`; their figures stay.

    Returns:
        The months that were dropped.
    """
    months = ArchiveMonth.objects.filter(month__lt=before.replace(day=1), dropped_at=None).order_by("month")
    dropped = []
    for month in months:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '10s'")  # whoever reads the archive now is not kept waiting long
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            cursor.execute(f"DROP TABLE IF EXISTS {_partition_name(month.month)}")
            month.dropped_at = timezone.now()
            month.save(update_fields=["dropped_at"])
        dropped.append(month)
        logger.info("archive_month_dropped", month=f"{month.month:%Y-%m}", events=month.events)
    return dropped


def drop_expired_months(*, now: datetime | None = None) -> list[ArchiveMonth]:
    """Drop what is older than `EVENT_ARCHIVE_MONTHS`; 0 keeps everything."""
    if not settings.EVENT_ARCHIVE_MONTHS:
        return []
    today = (now or timezone.now()).astimezone(UTC).date()
    month = today.year * 12 + today.month - 1 - settings.EVENT_ARCHIVE_MONTHS
    return drop_months(before=date(month // 12, month % 12 + 1, 1))


def forget_hits(message_ids: Iterable[int], personal: Sequence[str]) -> None:
    """Take out of archived events what says who acted."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {TABLE} SET user_agent = '', ip_address = NULL, data = data - %s::text[] "  # noqa: S608
            "WHERE message_id = ANY(%s)",
            [list(personal), list(message_ids)],
        )


def _next_month(month: date) -> date:
    return (month.replace(day=1) + timedelta(days=32)).replace(day=1)


def _start(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _partition_name(month: date) -> str:
    return f"{TABLE}_{month:%Y_%m}"
