"""A chunk of checked rows on its way into PostgreSQL: COPY to a staging table, then set-based upserts.

Everything here runs in the caller's transaction, so a chunk is stored with its figures or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from django.db import connection

from audiences.importing.rows import Chunk, reject_line
from audiences.models import ContactImport

CREATE_STAGING = """
    CREATE TEMP TABLE IF NOT EXISTS import_rows (
        id uuid, email varchar, email_normalized varchar, first_name varchar, last_name varchar, time_zone varchar,
        attributes jsonb)"""
DROP_STAGING = "DROP TABLE IF EXISTS import_rows"
COPY_ROWS = "COPY import_rows FROM STDIN"
COPY_REJECTS = "COPY audiences_contactimportreject (contact_import_id, row_number, reason, detail, cells) FROM STDIN"

#: Sorted, so that imports of the same addresses lock them in the same order.
UPSERT_CONTACTS = """
    WITH written AS (
        INSERT INTO audiences_contact AS c (id, workspace_id, created_at, updated_at, email, email_normalized,
                                            first_name, last_name, time_zone, attributes, source, source_import_id)
        SELECT r.id, %(workspace)s, now(), now(), r.email, r.email_normalized,
               r.first_name, r.last_name, r.time_zone, r.attributes, 'import', %(import)s
          FROM import_rows r ORDER BY r.email_normalized COLLATE "C"
        ON CONFLICT (workspace_id, email_normalized) {on_conflict}
        RETURNING xmax = 0 AS is_new)
    SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new) FROM written"""

KEEP_EXISTING = "DO NOTHING"

#: An empty cell does not empty what is known.
UPDATE_EXISTING = """DO UPDATE SET
            first_name = COALESCE(NULLIF(EXCLUDED.first_name, ''), c.first_name),
            last_name = COALESCE(NULLIF(EXCLUDED.last_name, ''), c.last_name),
            time_zone = COALESCE(NULLIF(EXCLUDED.time_zone, ''), c.time_zone),
            attributes = c.attributes || EXCLUDED.attributes,
            updated_at = now()
        WHERE (EXCLUDED.first_name NOT IN ('', c.first_name)) OR (EXCLUDED.last_name NOT IN ('', c.last_name))
           OR (EXCLUDED.time_zone NOT IN ('', c.time_zone)) OR NOT c.attributes @> EXCLUDED.attributes"""

#: One join finds the contacts; their places and consents follow. A place that exists keeps its status: an import
#: cannot resubscribe anybody. A suppressed address gets its place as one that was left.
ADD_PLACES = """
    WITH who AS MATERIALIZED (
        SELECT r.id, c.id AS contact_id, stop.created_at AS stopped_at
          FROM import_rows r
          JOIN audiences_contact c ON c.workspace_id = %(workspace)s AND c.email_normalized = r.email_normalized
          LEFT JOIN audiences_suppression stop
                 ON stop.workspace_id = %(workspace)s AND stop.email_normalized = r.email_normalized),
    places AS (
        INSERT INTO audiences_subscription (id, workspace_id, created_at, updated_at, contact_id, list_id, status,
                                            source_import_id, unsubscribed_at)
        SELECT id, %(workspace)s, now(), now(), contact_id, %(list)s,
               CASE WHEN stopped_at IS NULL THEN 'active' ELSE 'unsubscribed' END, %(import)s, stopped_at
          FROM who WHERE %(list)s::uuid IS NOT NULL ORDER BY contact_id
        ON CONFLICT (list_id, contact_id) DO NOTHING),
    proof AS (
        INSERT INTO audiences_consent (id, workspace_id, created_at, updated_at, contact_id, source, wording, given_at)
        SELECT id, %(workspace)s, now(), now(), contact_id, %(consent)s, '', now()
          FROM who WHERE %(consent)s <> '' AND stopped_at IS NULL ORDER BY contact_id
        ON CONFLICT (contact_id, source) DO NOTHING)
    SELECT count(stopped_at) FROM who"""


@dataclass(frozen=True)
class Stored:
    """What became of a chunk's good rows."""

    created: int
    updated: int
    unchanged: int
    suppressed: int


def store(contact_import: ContactImport, chunk: Chunk) -> Stored:
    """Write one chunk in the current transaction and return the exact figures."""
    params = {
        "workspace": contact_import.workspace_id,
        "import": contact_import.pk,
        "list": contact_import.list_id,
        "consent": contact_import.consent_source,
    }
    with connection.cursor() as cursor:
        if chunk.rejects:
            _copy(cursor, COPY_REJECTS, [reject_line(contact_import.pk, reject) for reject in chunk.rejects])
        if not chunk.lines:
            return Stored(0, 0, 0, 0)
        cursor.execute(CREATE_STAGING)
        cursor.execute("TRUNCATE import_rows")
        _copy(cursor, COPY_ROWS, chunk.lines)
        on_conflict = UPDATE_EXISTING if contact_import.update_existing else KEEP_EXISTING
        cursor.execute(UPSERT_CONTACTS.format(on_conflict=on_conflict), params)
        created, updated = cast("tuple[int, int]", cursor.fetchone())
        cursor.execute(ADD_PLACES, params)
        suppressed = int(cast("tuple[int]", cursor.fetchone())[0])
    return Stored(created, updated, len(chunk.lines) - created - updated, suppressed)


def drop_staging() -> None:
    """Remove the staging table, so that the pooled connection goes back as it came."""
    with connection.cursor() as cursor:
        cursor.execute(DROP_STAGING)


def refresh_statistics() -> None:
    """Tell PostgreSQL's planner how the tables look now: a launch may follow an import before autovacuum does."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE audiences_contact, audiences_subscription")


def _copy(cursor: Any, statement: str, lines: list[str]) -> None:
    with cursor.copy(statement) as copy:
        copy.write("".join(lines))
