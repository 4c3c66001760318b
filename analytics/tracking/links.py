"""Where a link leads: looked up in this process, then in Valkey, then in PostgreSQL.

Both caches forget after a while, so that a link that was re-pointed after sending leads to its new address within
`MEMORY_SECONDS + VALKEY_SECONDS`.
"""

from __future__ import annotations

import contextlib
import re
import time
from urllib.parse import quote, urlsplit

import redis.asyncio
from psycopg_pool import AsyncConnectionPool

from analytics.tracking.writer import DATABASE_ERRORS
from pulsequill.core.valkey import AWAY

MEMORY_SECONDS = 20.0
VALKEY_SECONDS = 40
MAX_REMEMBERED = 50_000
#: Everything that RFC 3986 lets stand in an address; the rest (spaces, letters beyond ASCII) is percent-encoded.
_URL_CHARACTERS = "%:/?#[]@!$&'()*+,;=-._~"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class LinkAway(Exception):
    """Neither cache knows the link and the database does not answer."""


def location(url: str) -> bytes | None:
    """Return the `Location` value for a stored address, or None when a reader must not be sent there.

    Only http and https with a host; control characters (a header could be split at them) are never passed on.
    """
    if _CONTROL.search(url):
        return None
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme.lower() not in ("http", "https") or not host:
        return None
    if not parts.netloc.isascii():
        try:
            parts = parts._replace(netloc=parts.netloc.replace(host, host.encode("idna").decode()))
        except UnicodeError:
            return None
    return quote(parts.geturl(), safe=_URL_CHARACTERS).encode("ascii")


class LinkBook:
    """The link addresses that one event loop knows."""

    def __init__(self, valkey: redis.asyncio.Redis[bytes], pool: AsyncConnectionPool) -> None:
        self._valkey = valkey
        self._pool = pool
        self._known: dict[int, tuple[float, bytes | None]] = {}

    async def find(self, link_id: int) -> bytes | None:
        """Return the `Location` of a link, or None when there is no such link.

        Raises:
            LinkAway: it is not cached and PostgreSQL is away.
        """
        known = self._known.get(link_id)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        url = await self._from_valkey(link_id)
        if url is None:
            try:
                url = await self._from_database(link_id)
            except LinkAway:
                if known is not None:
                    return known[1]  # an old address serves the reader better than none
                raise
        target = location(url) if url is not None else None
        if len(self._known) >= MAX_REMEMBERED:
            self._known.clear()
        self._known[link_id] = (time.monotonic() + MEMORY_SECONDS, target)
        return target

    async def _from_valkey(self, link_id: int) -> str | None:
        with contextlib.suppress(*AWAY):
            if (url := await self._valkey.get(f"link:{link_id}")) is not None:
                return str(url, "utf-8")
        return None

    async def _from_database(self, link_id: int) -> str | None:
        try:
            async with self._pool.connection() as connection:
                cursor = await connection.execute("SELECT url FROM campaigns_link WHERE id = %s", [link_id])
                row = await cursor.fetchone()
        except DATABASE_ERRORS as error:
            raise LinkAway from error
        if row is None:
            return None
        with contextlib.suppress(*AWAY):
            await self._valkey.set(f"link:{link_id}", row[0], ex=VALKEY_SECONDS)
        return str(row[0])
