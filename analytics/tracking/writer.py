"""Writes the events of one web process to the log: everything that arrives while a write is under way goes into the
next one, and nobody is answered before their event is kept."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import deque

import psycopg
import redis.asyncio
import structlog
from django.conf import settings
from psycopg_pool import AsyncConnectionPool, PoolTimeout
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ResponseError

from pulsequill.core.cancellation import is_cancelled
from pulsequill.core.event_log import FIELD, INSERT_STRAYS, MAX_ENTRIES, STREAM
from pulsequill.core.failures import reason_of
from pulsequill.core.ids import uuid7
from pulsequill.core.valkey import AWAY

logger = structlog.get_logger(__name__)

#: Events in one stream entry: large enough to make an event cheap, small enough to bound the consumer's batches.
EVENTS_AN_ENTRY = 64
#: How long one store may take before the other is tried, and how long a failed Valkey is then left alone.
STORE_SECONDS = 2.0
VALKEY_REST_SECONDS = 1.0
#: Events that are held in memory while Valkey and PostgreSQL are both away; beyond that they are lost, and said so.
MAX_HELD = 50_000
HELD_RETRY_SECONDS = 1.0
#: What was written to the stream is remembered for so long, and so much of it at most, in case that the stream forgets
#: (`FLUSHALL`, a Valkey that comes back without its data); the consumer knows what it has counted.
REMEMBERED_SECONDS = 300.0
MAX_REMEMBERED = 50_000
LOOK_SECONDS = 1.0
#: Events that are written again in one go, each within `STORE_SECONDS`.
AGAIN_AT_ONCE = 1_024
#: A key beside the stream with a random value. Whoever finds another value than before knows that everything was lost
#: in between, however much others have added since.
GENERATION = "events:generation"
DATABASE_ERRORS = (psycopg.Error, PoolTimeout, OSError, TimeoutError)


def database_pool() -> AsyncConnectionPool:
    """Return a small closed pool on the database that Django's settings name; no ORM."""
    config = settings.DATABASES["default"]
    options = {name: value for name, value in config.get("OPTIONS", {}).items() if isinstance(value, str | int)}
    conninfo = psycopg.conninfo.make_conninfo(
        "",
        dbname=config["NAME"],
        **{key: config[name] for name, key in _CONNINFO.items() if config.get(name)},
        **{**options, "application_name": "pulsequill tracking", "connect_timeout": 3},
    )
    return AsyncConnectionPool(
        conninfo,
        min_size=0,
        max_size=4,
        timeout=STORE_SECONDS,
        open=False,
        check=AsyncConnectionPool.check_connection,
        kwargs={"autocommit": True, "prepare_threshold": None},
    )


_CONNINFO = {"HOST": "host", "PORT": "port", "USER": "user", "PASSWORD": "password"}


def valkey_client() -> redis.asyncio.Redis[bytes]:
    """Return a client of the streams database that gives up quickly: there is a fallback."""
    return redis.asyncio.Redis.from_url(
        settings.STREAMS_URL,
        socket_connect_timeout=1.0,
        socket_timeout=STORE_SECONDS,
        retry=Retry(NoBackoff(), 1),
    )


class EventWriter:
    """The one writer of an event loop. `write` returns once the event is in Valkey, or else in PostgreSQL."""

    def __init__(self, valkey: redis.asyncio.Redis[bytes], pool: AsyncConnectionPool) -> None:
        self._valkey = valkey
        self._pool = pool
        self._waiting: list[bytes] = []
        self._ticket: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._valkey_rests_until = 0.0
        self._looked_until = 0.0
        self._is_full = False
        self._recent: deque[tuple[float, list[bytes]]] = deque()
        self._remembered = 0
        self._generation: bytes | None = None
        #: Entries that were ever added to the stream, at least: those of the last look and our own since.
        self._added = 0
        self._watch: asyncio.Task[None] | None = None
        #: Whether the stream has lost what is remembered, and not all of it is written again.
        self._is_lost = False
        self._again: asyncio.Task[None] | None = None
        self._held: list[bytes] = []
        self._retry: asyncio.Task[None] | None = None

    async def write(self, line: bytes) -> None:
        """Keep one encoded event. A caller that is cancelled (the reader left) does not disturb the others."""
        self._waiting.append(line)
        if self._ticket is None:
            self._ticket = asyncio.get_running_loop().create_future()
        ticket = self._ticket
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write_all())
        await asyncio.shield(ticket)

    async def _write_all(self) -> None:
        while self._waiting:
            batch, ticket = self._waiting, self._ticket
            self._waiting, self._ticket = [], None
            try:
                await self._keep(batch)
            finally:
                if ticket is not None and not ticket.done():
                    ticket.set_result(None)

    async def _keep(self, batch: list[bytes]) -> None:
        if time.monotonic() >= self._valkey_rests_until:
            try:
                async with asyncio.timeout(STORE_SECONDS):
                    if await self._to_stream(batch):
                        return
            except (*AWAY, TimeoutError) as error:
                self._valkey_rests_until = time.monotonic() + VALKEY_REST_SECONDS
                logger.warning("tracking_stream_away", error=str(error))
        try:
            await self._to_database(batch)
        except DATABASE_ERRORS as error:
            self._hold(batch, error)

    async def _to_stream(self, batch: list[bytes]) -> bool:
        if time.monotonic() >= self._looked_until:
            await self._look()
        if self._is_full:
            return False
        await self._add(batch)
        self._remember(batch)
        return True

    async def _add(self, batch: list[bytes]) -> None:
        entries = [batch[start : start + EVENTS_AN_ENTRY] for start in range(0, len(batch), EVENTS_AN_ENTRY)]
        if len(entries) == 1:
            await self._valkey.xadd(STREAM, {FIELD: b"\n".join(batch)})
        else:
            pipeline = self._valkey.pipeline(transaction=False)
            for entry in entries:
                pipeline.xadd(STREAM, {FIELD: b"\n".join(entry)})
            await pipeline.execute()
        self._added += len(entries)

    def _remember(self, batch: list[bytes]) -> None:
        self._recent.append((time.monotonic(), batch))
        self._remembered += len(batch)
        while self._remembered > MAX_REMEMBERED:
            self._forget_oldest()
        if self._watch is None or self._watch.done():
            self._watch = asyncio.create_task(self._watch_stream())

    def _forget_oldest(self) -> None:
        self._remembered -= len(self._recent.popleft()[1])

    async def _watch_stream(self) -> None:
        """Look at the stream each second for as long as something is remembered, whether anybody writes or not."""
        while self._recent and not is_cancelled():
            await asyncio.sleep(LOOK_SECONDS)
            if time.monotonic() >= max(self._looked_until, self._valkey_rests_until):
                with contextlib.suppress(*AWAY, TimeoutError):
                    async with asyncio.timeout(STORE_SECONDS):
                        await self._look()

    async def _look(self) -> None:
        """See how full the stream is, and whether it still knows of what was added to it."""
        expected = self._added
        pipeline = self._valkey.pipeline(transaction=False)
        pipeline.set(GENERATION, uuid7().hex, nx=True)
        pipeline.get(GENERATION)
        pipeline.xinfo_stream(STREAM)
        *answers, stream = await pipeline.execute(raise_on_error=False)
        if isinstance(stream, ResponseError) and "no such key" in str(stream):
            stream = {"length": 0, "entries-added": 0}
        for answer in (*answers, stream):
            if isinstance(answer, Exception):
                raise answer
        known, self._generation = self._generation, answers[-1]
        self._is_full = stream["length"] >= MAX_ENTRIES
        self._looked_until = time.monotonic() + LOOK_SECONDS
        # What was added while we asked may be in the answer already: counting it again would look like a loss later.
        self._added = stream["entries-added"]
        if known is not None and (known != self._generation or self._added < expected):
            logger.error("tracking_stream_was_lost", remembered=self._remembered)
            self._is_lost = True
        if self._is_lost and (self._again is None or self._again.done()):
            self._again = asyncio.create_task(self._write_again())
        limit = time.monotonic() - REMEMBERED_SECONDS
        # Never while it is owed, nor while nobody could look.
        while not self._is_lost and self._recent and self._recent[0][0] < limit:
            self._forget_oldest()

    async def _write_again(self) -> None:
        """Write what is remembered, beside what is written meanwhile. What fails is begun anew at the next look."""
        while self._is_lost:
            self._is_lost = False  # and true again when the stream is lost once more in between
            lines = [line for _, batch in self._recent for line in batch]
            try:
                for start in range(0, len(lines), AGAIN_AT_ONCE):
                    async with asyncio.timeout(STORE_SECONDS):
                        await self._add(lines[start : start + AGAIN_AT_ONCE])
            except (*AWAY, TimeoutError) as error:
                self._is_lost = True
                logger.error("tracking_stream_not_written_again", events=len(lines), error=str(error))
                return
            logger.warning("tracking_stream_written_again", events=len(lines))

    async def _to_database(self, batch: list[bytes]) -> None:
        rows = [(line.decode(), json.loads(line)["key"], "") for line in batch]
        async with (
            asyncio.timeout(STORE_SECONDS),
            self._pool.connection() as connection,
            connection.cursor() as cursor,
        ):
            await cursor.execute(INSERT_STRAYS, [list(column) for column in zip(*rows, strict=True)])

    def _hold(self, batch: list[bytes], error: BaseException) -> None:
        kept = batch[: MAX_HELD - len(self._held)]
        self._held += kept
        logger.error("tracking_both_stores_away", held=len(self._held), lost=len(batch) - len(kept), **reason_of(error))
        if self._held and (self._retry is None or self._retry.done()):
            self._retry = asyncio.create_task(self._try_held_again())

    async def _try_held_again(self) -> None:
        while self._held and not is_cancelled():
            await asyncio.sleep(HELD_RETRY_SECONDS)
            batch, self._held = self._held, []
            with contextlib.suppress(*AWAY, TimeoutError):
                if await self._to_stream(batch):
                    continue
            try:
                await self._to_database(batch)
            except DATABASE_ERRORS:
                self._held = batch + self._held
