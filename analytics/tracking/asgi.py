"""The tracking endpoints: `/t/o/<token>` answers with a pixel, `/t/c/<token>` with a redirect.

A token is checked by its signature alone. The event is kept (Valkey, else PostgreSQL) before the answer goes out. An
unknown pixel token gets the very same pixel, so that nobody can probe for tokens; a click token that we did not make
gets 404 and no address, so that the domain cannot be used to redirect to somewhere else.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.conf import settings
from prometheus_client import Counter
from psycopg_pool import AsyncConnectionPool

from analytics.tracking.links import LinkAway, LinkBook
from analytics.tracking.writer import EventWriter, database_pool, valkey_client
from campaigns.delivery.tracking import read_click_token, read_open_token
from pulsequill.core.event_log import encode
from pulsequill.core.signing import BadSignature

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

OPEN_PREFIX, CLICK_PREFIX = "/t/o/", "/t/c/"
MAX_TOKEN = 200
#: The longest address there is: IPv6 that ends in dotted numbers.
MAX_IP = 45
PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
HITS = Counter("pulsequill_tracking_hits_total", "Opens and clicks that were kept", ["kind"])
OPENS, CLICKS = HITS.labels("opened"), HITS.labels("clicked")

_COMMON: Headers = [
    (b"cache-control", b"no-store, private"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-robots-tag", b"noindex"),
    (b"referrer-policy", b"no-referrer"),
]
if settings.SECURE_HSTS_SECONDS:
    _COMMON.append(
        (b"strict-transport-security", f"max-age={settings.SECURE_HSTS_SECONDS}; includeSubDomains; preload".encode())
    )
_PIXEL_HEADERS: Headers = [
    (b"content-type", b"image/gif"),
    (b"content-length", str(len(PIXEL)).encode()),
    # Mails are read on other sites, whose pages must be allowed to show the pixel.
    (b"cross-origin-resource-policy", b"cross-origin"),
    *_COMMON,
]
_PIXEL_START = {"type": "http.response.start", "status": 200, "headers": _PIXEL_HEADERS}
_PIXEL_BODY = {"type": "http.response.body", "body": PIXEL}
_NO_BODY = {"type": "http.response.body", "body": b""}


class _Hub:
    """What one event loop needs: connections, writer, links."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._valkey = valkey_client()
        self._pool = database_pool()
        self._opening = asyncio.create_task(self._open(self._pool))
        self.writer = EventWriter(self._valkey, self._pool)
        self.links = LinkBook(self._valkey, self._pool)

    @staticmethod
    async def _open(pool: AsyncConnectionPool) -> None:
        await pool.open(wait=False)

    async def ready(self) -> None:
        """Wait until the pool accepts requests for connections (not until there is one)."""
        await self._opening


_hubs: dict[asyncio.AbstractEventLoop, _Hub] = {}


async def _hub() -> _Hub:
    loop = asyncio.get_running_loop()
    hub = _hubs.get(loop)
    if hub is None:
        for closed in [other for other in _hubs if other.is_closed()]:
            del _hubs[closed]
        hub = _hubs[loop] = _Hub()
    await hub.ready()
    return hub


def _reader(scope: Scope) -> tuple[str, str]:
    """Return address and user agent of whoever asks; proxies are believed as far as TRUSTED_PROXIES says."""
    agent, forwarded = b"", []
    for name, value in scope["headers"]:
        if name == b"user-agent":
            agent = value
        elif name == b"x-forwarded-for":
            forwarded.append(value)  # each proxy may add a line of its own
    ip = scope["client"][0] if scope.get("client") else ""
    if settings.TRUSTED_PROXIES and forwarded:
        hops = b",".join(forwarded).decode("latin-1").split(",")
        ip = hops[-min(settings.TRUSTED_PROXIES, len(hops))].strip()
    return ip[:MAX_IP], agent.decode("latin-1")


def _event(scope: Scope, *, kind: str, message_id: int, link_id: int | None = None) -> bytes:
    ip, agent = _reader(scope)
    return encode(
        kind=kind,
        message_id=message_id,
        link_id=link_id,
        source="tracking",
        ip=ip,
        user_agent=agent,
        data={"method": "HEAD"} if scope["method"] == "HEAD" else None,
    )


async def _plain(send: Send, status: int, text: bytes, extra: Headers | None = None, *, is_head: bool = False) -> None:
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(text)).encode()),
        *_COMMON,
        *(extra or []),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send(_NO_BODY if is_head else {"type": "http.response.body", "body": text})


async def _open(scope: Scope, send: Send, token: str) -> None:
    try:
        message_id = read_open_token(token) if len(token) <= MAX_TOKEN else None
    except BadSignature:
        message_id = None
    if message_id is not None:
        await (await _hub()).writer.write(_event(scope, kind="opened", message_id=message_id))
        OPENS.inc()
    await send(_PIXEL_START)
    await send(_NO_BODY if scope["method"] == "HEAD" else _PIXEL_BODY)


async def _click(scope: Scope, send: Send, token: str) -> None:
    is_head = scope["method"] == "HEAD"
    try:
        if len(token) > MAX_TOKEN:
            raise BadSignature("too long")
        message_id, link_id = read_click_token(token)
        hub = await _hub()
        target = await hub.links.find(link_id)
    except BadSignature:
        target = None
    except LinkAway:
        retry = [(b"retry-after", b"5")]
        await _plain(send, 503, b"Please try again in a moment.\n", retry, is_head=is_head)
        return
    if target is None:
        await _plain(send, 404, b"There is nothing here.\n", is_head=is_head)
        return
    await hub.writer.write(_event(scope, kind="clicked", message_id=message_id, link_id=link_id))
    CLICKS.inc()
    headers = [(b"location", target), (b"content-length", b"0"), *_COMMON]
    await send({"type": "http.response.start", "status": 302, "headers": headers})
    await send(_NO_BODY)


async def application(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001
    """Answer one HTTP request below `/t/`."""
    path: str = scope["path"]
    if scope["method"] not in ("GET", "HEAD"):
        await _plain(send, 405, b"Only GET and HEAD.\n", [(b"allow", b"GET, HEAD")])
    elif path.startswith(OPEN_PREFIX):
        await _open(scope, send, path[len(OPEN_PREFIX) :])
    elif path.startswith(CLICK_PREFIX):
        await _click(scope, send, path[len(CLICK_PREFIX) :])
    else:
        await _plain(send, 404, b"There is nothing here.\n", is_head=scope["method"] == "HEAD")
