"""Reads the event log and stores it: at least once from the stream, exactly once in PostgreSQL.

An entry is acknowledged after the transaction that counted it has committed. Whatever happens in between (a crash, a
lost answer, a second consumer), the entry is read again and its events are recognised by their keys. Entries that a
dead consumer had taken are claimed after `CLAIM_AFTER_MS`. Events that wait in PostgreSQL are counted and removed in
one and the same transaction.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Sequence
from typing import Any

import psycopg
import redis
import structlog
from django.db import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    close_old_connections,
    connection,
    transaction,
)
from prometheus_client import Counter
from redis.exceptions import ResponseError

from analytics.ingest.entries import Stray, read_line
from analytics.ingest.store import keep_strays, store
from pulsequill.core import heartbeats
from pulsequill.core.event_log import FIELD, STREAM
from pulsequill.core.live import mark_dirty
from pulsequill.core.valkey import AWAY, streams_client

logger = structlog.get_logger(__name__)

GROUP = "consumers"
#: Entries a read; each holds up to `tracking.writer.EVENTS_AN_ENTRY` events.
ENTRIES_A_READ = 256
STRAYS_A_READ = 2_000
BLOCK_MS = 200
CLAIM_AFTER_MS = 30_000
CLAIM_EVERY_S = 5.0
STRAYS_EVERY_S = 0.5
HEARTBEAT_EVERY_S = 5.0
BACKOFF_S = (0.2, 0.5, 1.0, 2.0, 5.0)

STORED = Counter("pulsequill_events_stored_total", "Event-log lines that the consumer has stored")
#: A batch that PostgreSQL refuses for what it contains, not for being away.
BAD_CONTENT = (DataError, IntegrityError, psycopg.DataError, psycopg.IntegrityError)
DATABASE_AWAY = (DatabaseError, InterfaceError, psycopg.Error)

Entry = tuple[bytes, dict[bytes, bytes]]


def store_safely(lines: Sequence[bytes]) -> set[Any]:
    """Store lines; one that cannot be stored is found by halving and kept as a stray, so that none blocks the others.

    Raises:
        django.db.Error, psycopg.Error: the database is away; nothing is lost, try again.
    """
    try:
        return store(lines)
    except Exception as error:
        if isinstance(error, DATABASE_AWAY) and not isinstance(error, BAD_CONTENT):
            raise
        if len(lines) > 1:
            middle = len(lines) // 2
            return store_safely(lines[:middle]) | store_safely(lines[middle:])
        problem = f"cannot be stored: {error}".splitlines()[0]
        logger.exception("event_cannot_be_stored")
        try:
            key = read_line(lines[0])["key"]
        except ValueError:
            key = ""
        keep_strays([Stray(lines[0], key, problem)])
        return set()


class Consumer:
    """One reader of the event log. Several may run; each needs a name of its own."""

    def __init__(
        self, *, client: redis.Redis[bytes] | None = None, name: str = "", claim_after_ms: int = CLAIM_AFTER_MS
    ) -> None:
        self._client = client or streams_client()
        self._name = name or f"{socket.gethostname()}-{os.getpid()}"
        self._claim_after_ms = claim_after_ms
        self._has_group = False
        self._has_own_pending = True
        self._claim_at = self._strays_at = self._heartbeat_at = 0.0

    def run(self, stop: threading.Event) -> None:
        """Consume until `stop` is set, through restarts of Valkey and PostgreSQL."""
        failures = 0
        while not stop.is_set():
            self._sign_of_life()
            close_old_connections()
            is_well = True
            for step in (self.read_stream, self.drain_strays_in_time):
                try:
                    step()
                except AWAY as error:
                    is_well = self._has_group = False
                    logger.warning("consumer_valkey_away", error=str(error))
                except DATABASE_AWAY as error:
                    is_well = False
                    logger.warning("consumer_database_away", error=str(error))
                    connection.close()
            if is_well:
                failures = 0
            else:
                stop.wait(BACKOFF_S[min(failures, len(BACKOFF_S) - 1)])
                failures += 1

    def read_stream(self, *, block_ms: int | None = BLOCK_MS) -> int:
        """Store the next entries of the stream and acknowledge them.

        Returns:
            How many entries were acknowledged.
        """
        entries = self._take(block_ms)
        if not entries:
            return 0
        lines = [line for _, fields in entries for line in fields.get(FIELD.encode(), b"").split(b"\n") if line]
        self._has_own_pending = True  # until they are acknowledged
        changed = store_safely(lines)
        self._acknowledge([entry_id for entry_id, _ in entries])
        self._has_own_pending = False
        STORED.inc(len(lines))
        mark_dirty(*changed)
        return len(entries)

    def drain_strays_in_time(self) -> None:
        """Look for waiting events in PostgreSQL, at most every half second."""
        if time.monotonic() >= self._strays_at and self.drain_strays() < STRAYS_A_READ:
            self._strays_at = time.monotonic() + STRAYS_EVERY_S

    def drain_strays(self) -> int:
        """Store events that wait in PostgreSQL, and remove them, in one transaction.

        Returns:
            How many rows were taken.
        """
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT id, entry::text FROM pulsequill_strayevent WHERE problem = '' "
                    "ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED",
                    [STRAYS_A_READ],
                )
                rows = cursor.fetchall()
                if not rows:
                    return 0
                # First, because those that turn out to be strays are inserted again, with their problem.
                cursor.execute("DELETE FROM pulsequill_strayevent WHERE id = ANY(%s)", [[row[0] for row in rows]])
            changed = store_safely([row[1].encode() for row in rows])
        STORED.inc(len(rows))
        mark_dirty(*changed)
        return len(rows)

    def _take(self, block_ms: int | None) -> list[Entry]:
        """Return entries to store: our own unacknowledged ones first, then those of dead consumers, then new ones."""
        self._ensure_group()
        try:
            if self._has_own_pending:
                if entries := self._read("0", None):
                    return entries
                self._has_own_pending = False
            if time.monotonic() >= self._claim_at:
                claimed = self._client.xautoclaim(
                    STREAM, GROUP, self._name, self._claim_after_ms, "0-0", count=ENTRIES_A_READ
                )[1]
                if claimed:
                    return list(claimed)
                self._claim_at = time.monotonic() + CLAIM_EVERY_S
            return self._read(">", block_ms)
        except ResponseError as error:
            if "NOGROUP" in str(error):  # somebody flushed Valkey
                self._has_group = False
                return []
            raise

    def _read(self, start: str, block_ms: int | None) -> list[Entry]:
        answer = self._client.xreadgroup(GROUP, self._name, {STREAM: start}, count=ENTRIES_A_READ, block=block_ms)
        streams = list(answer.values()) if isinstance(answer, dict) else [entries for _, entries in answer or []]
        entries = [entry for found in streams for entry in found]
        if entries and isinstance(entries[0], list):  # RESP3 wraps the list once more
            entries = [entry for wrapped in entries for entry in wrapped]
        # An entry of ours that was deleted meanwhile comes without fields.
        return [(entry_id, fields or {}) for entry_id, fields in entries]

    def _ensure_group(self) -> None:
        if self._has_group:
            return
        try:
            self._client.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise
        self._has_group = True

    def _acknowledge(self, entry_ids: list[bytes]) -> None:
        pipeline = self._client.pipeline(transaction=True)
        pipeline.xack(STREAM, GROUP, *entry_ids)
        pipeline.xdel(STREAM, *entry_ids)
        pipeline.execute()

    def _sign_of_life(self) -> None:
        if time.monotonic() < self._heartbeat_at:
            return
        self._heartbeat_at = time.monotonic() + HEARTBEAT_EVERY_S
        try:
            heartbeats.sign(heartbeats.CONSUMER)
        except AWAY:
            logger.warning("consumer_heartbeat_failed")
