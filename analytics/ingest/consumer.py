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
from collections import Counter as Tries
from collections.abc import Callable, Sequence
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
from redis.exceptions import RedisError, ResponseError

from analytics.ingest.entries import Stray, read_line
from analytics.ingest.store import keep_strays, store
from pulsequill.core import heartbeats
from pulsequill.core.event_log import FIELD, STREAM
from pulsequill.core.failures import reason_of
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
#: A batch that fails for a reason of our own is tried so often as a whole, which takes a quarter of a minute; then the
#: lines that cause it are looked for, so that they hold up nobody for ever.
MOST_TRIES = 6

STORED = Counter("pulsequill_events_stored_total", "Event-log lines that the consumer has stored")
#: A batch that PostgreSQL refuses for what it contains, not for being away.
BAD_CONTENT = (DataError, IntegrityError, psycopg.DataError, psycopg.IntegrityError, UnicodeError)
DATABASE_AWAY = (DatabaseError, InterfaceError, psycopg.Error)

Entry = tuple[bytes, dict[bytes, bytes]]


class NotStored(Exception):
    """A batch failed, and neither is its content bad nor the database away; nothing of it is lost, try again."""


def store_safely(lines: Sequence[bytes], *, is_last_try: bool = False) -> set[Any]:
    """Store lines; one that cannot be stored is found by halving and kept as a stray, so that none blocks the others.

    Args:
        lines: the events.
        is_last_try: also keep those as strays that fail for a reason that is not known to lie in them.

    Raises:
        django.db.Error, psycopg.Error, redis.RedisError: the database or Valkey is away; try again.
        NotStored: something else is wrong; never on the last try.
    """
    try:
        with transaction.atomic():
            changed = store(lines)
            connection.check_constraints()  # foreign keys wait for the commit, which may be the caller's
            _let_hooks_fail_alone()
    except BAD_CONTENT as error:
        refusal: Exception = error
    except (*DATABASE_AWAY, RedisError):
        raise
    except Exception as error:
        if not is_last_try:
            raise NotStored from error
        refusal = error
    else:
        return changed
    if len(lines) > 1:
        middle = len(lines) // 2
        first, second = (store_safely(half, is_last_try=is_last_try) for half in (lines[:middle], lines[middle:]))
        return first | second
    try:
        key = read_line(lines[0])["key"]
    except ValueError:
        key = ""
    logger.error("event_cannot_be_stored", event_key=key, **reason_of(refusal))
    keep_strays([Stray(lines[0], key, f"cannot be stored: {refusal}".splitlines()[0])])
    return set()


def _let_hooks_fail_alone() -> None:
    """Keep hooks that fail after the commit from hiding it, and each other."""
    hooks: Any = connection.run_on_commit  # the stubs know two of its three fields
    hooks[:] = [(savepoints, hook if is_robust else _telling(hook), True) for savepoints, hook, is_robust in hooks]


def _telling(hook: Callable[[], Any]) -> Callable[[], None]:
    def run() -> None:
        try:
            hook()
        except Exception as error:  # noqa: BLE001 whatever it is, it comes after the commit
            logger.error("hook_failed_after_commit", hook=getattr(hook, "__qualname__", ""), **reason_of(error))

    return run


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
        #: Tries of the batch at hand, of the stream and of the strays.
        self._tries: Tries[str] = Tries()
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
                    logger.warning("consumer_database_away", **reason_of(error))
                    connection.close()
                except Exception as error:  # noqa: BLE001 told and tried again; events wait, and none is lost
                    is_well = False
                    logger.error("consumer_failed", step=step.__name__, **reason_of(error.__cause__ or error))
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
        changed = self._store("stream", lines)
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
            changed = self._store("strays", [row[1].encode() for row in rows])
        STORED.inc(len(rows))
        mark_dirty(*changed)
        return len(rows)

    def _store(self, origin: str, lines: Sequence[bytes]) -> set[Any]:
        try:
            changed = store_safely(lines, is_last_try=self._tries[origin] >= MOST_TRIES)
        except NotStored:
            self._tries[origin] += 1
            raise
        self._tries[origin] = 0
        return changed

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
