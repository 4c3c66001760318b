"""What contacts did lately: columns on the contact that segments ask."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection

#: Only forwards: events arrive in any order. Sorted by the caller's order of locks: contact id.
_RECORD = """
    UPDATE audiences_contact c
       SET last_opened_at = GREATEST(c.last_opened_at, e.opened_at),
           last_clicked_at = GREATEST(c.last_clicked_at, e.clicked_at)
      FROM (SELECT contact_id, opened_at, clicked_at FROM {relation} ORDER BY contact_id) e
     WHERE c.id = e.contact_id"""

#: A time that turned out to be a machine's gives way to the latest one that is left; any other only moves forwards.
_CORRECT = """
    UPDATE audiences_contact c
       SET last_opened_at = CASE WHEN c.last_opened_at = e.not_opened_at THEN e.opened_at
                                 ELSE GREATEST(c.last_opened_at, e.opened_at) END,
           last_clicked_at = CASE WHEN c.last_clicked_at = e.not_clicked_at THEN e.clicked_at
                                  ELSE GREATEST(c.last_clicked_at, e.clicked_at) END
      FROM (SELECT * FROM unnest(%s::uuid[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[],
                                 %s::timestamptz[])
                     AS e (contact_id, not_opened_at, opened_at, not_clicked_at, clicked_at) ORDER BY contact_id) e
     WHERE c.id = e.contact_id"""

_SENT = """
    UPDATE audiences_contact SET last_sent_at = GREATEST(last_sent_at, %s)
     WHERE id IN (SELECT id FROM audiences_contact WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE)"""


def record_engagement(*, relation: str) -> None:
    """Record the newest human open and click of contacts.

    Args:
        relation: a table (temporary, of the caller's) with the columns `contact_id uuid`, `opened_at` and `clicked_at`
            (`timestamptz`), one row a contact: a batch names thousands of them, which need not pass through Python.
    """
    with connection.cursor() as cursor:
        cursor.execute(_RECORD.format(relation=connection.ops.quote_name(relation)))


def correct_engagement(
    *, rows: Iterable[tuple[UUID, datetime | None, datetime | None, datetime | None, datetime | None]]
) -> None:
    """Correct when contacts were last there: `(contact id, no open at, last open, no click at, last click)`.

    Args:
        rows: one a contact; the times that were taken back, and the latest that are left.
    """
    table = list(rows)
    if table:
        with connection.cursor() as cursor:
            cursor.execute(_CORRECT, [list(column) for column in zip(*table, strict=True)])


def record_sent(*, contact_ids: Sequence[UUID], at: datetime) -> None:
    """Record that mails went to contacts."""
    if contact_ids:
        with connection.cursor() as cursor:
            cursor.execute(_SENT, [at, list(contact_ids)])
