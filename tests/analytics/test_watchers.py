"""Real sockets on real servers: several web processes, watchers that come back, and one that never reads."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator

import psutil
import pytest
import uvicorn
from asgiref.sync import sync_to_async
from channels.routing import URLRouter
from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts import sockets
from accounts.services.api_keys import create_api_key
from analytics.ingest.store import store
from analytics.live import frames
from analytics.live.publisher import Publisher
from analytics.sockets import websocket_urlpatterns
from pulsequill import web_sockets
from pulsequill.benchmarks.processes import free_port, server
from pulsequill.benchmarks.watchers import Seen, watch
from pulsequill.core.event_log import encode
from pulsequill.core.live import campaign_group, mark_dirty, push_encoded
from pulsequill.core.valkey import streams_client
from pulsequill.embedded.addresses import postgres_url, valkey_url
from pulsequill.web_sockets import ImpatientSocket
from tests.analytics.making import Mailing, make_mailing
from tests.embedded_services import HOME
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

BROWSER = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"


@pytest.fixture
def mailing() -> Mailing:
    return make_mailing(size=6, provider="capture", sent_at=timezone.now())


@pytest.fixture
def authorization(mailing: Mailing) -> str:
    return (
        "Bearer " + create_api_key(workspace=mailing.workspace, actor=None, name="Watcher", scopes=["campaign.view"])[1]
    )


@pytest.fixture
def web(mailing: Mailing) -> Iterator[uvicorn.Server]:
    """The sockets behind uvicorn, in a thread with an event loop of its own; `port` is where."""
    app = uvicorn.Server(
        uvicorn.Config(
            URLRouter(websocket_urlpatterns), port=free_port(), lifespan="off", log_level="error", ws=ImpatientSocket
        )
    )
    thread = threading.Thread(target=app.run, daemon=True)
    thread.start()
    wait_until(lambda: app.started, what="the server")
    yield app
    app.should_exit = True
    thread.join(timeout=20)


def url_of(port: int, mailing: Mailing) -> str:
    return f"ws://127.0.0.1:{port}/ws/campaigns/{mailing.campaign.pk}"


def raw_socket(port: int, mailing: Mailing, authorization: str) -> socket.socket:
    """Open a WebSocket by hand that takes little and reads nothing but the answer's head."""
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.connect(("127.0.0.1", port))
    line.sendall(
        f"GET /ws/campaigns/{mailing.campaign.pk} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        f"Authorization: {authorization}\r\n\r\n".encode()
    )
    assert line.recv(12) == b"HTTP/1.1 101"
    return line


def opened(mailing: Mailing, number: int) -> bytes:
    return encode(
        kind="opened", message_id=mailing.messages[number].pk, source="tracking", user_agent=BROWSER,
        occurred_at=timezone.now(),
    )  # fmt: skip


def publish(publisher: Publisher, mailing: Mailing) -> None:
    mark_dirty(mailing.campaign.pk)
    publisher._not_before.clear()
    streams_client().delete(frames.turn_key(mailing.campaign.pk))
    assert publisher.publish_due() == 1


def test_one_that_never_reads_is_closed_and_slows_nobody(
    web: uvicorn.Server, mailing: Mailing, authorization: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "SEND_TIMEOUT_S", 1.0)
    monkeypatch.setattr(web_sockets, "STALLED_S", 2.0)
    port, group = web.config.port, campaign_group(mailing.campaign.pk)
    lazy = raw_socket(port, mailing, authorization)
    wait_until(lambda: len(web.server_state.connections) == 1, what="the one that never reads")
    before = psutil.Process().memory_info().rss
    padding = "x" * 200_000
    is_over = threading.Event()
    talking: list[threading.Thread] = []

    def talk() -> None:
        seq = 1
        while not is_over.wait(0.1):
            at = timezone.now().isoformat()
            push_encoded(
                group,
                seq,
                json.dumps({"seq": seq, "type": "totals", "at": at, "padding": padding}, separators=(",", ":")),
            )
            seq += 1

    async def look() -> Seen:
        talking.append(threading.Thread(target=talk, daemon=True))
        talking[0].start()
        return await watch(url_of(port, mailing), authorization, sockets=5, seconds=6)

    seen = asyncio.run(look())
    try:
        wait_until(lambda: not web.server_state.connections, what="the end of the one that never reads")
    finally:
        is_over.set()
        talking[0].join()
    assert seen.closed == {}
    assert len(seen.delays) > 5 * 20
    assert sorted(seen.delays)[int(len(seen.delays) * 0.95)] < 1
    assert psutil.Process().memory_info().rss - before < 50 * 1024 * 1024
    lazy.close()


def test_every_web_process_shows_the_same_frames(
    mailing: Mailing, authorization: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = connection.settings_dict["NAME"]
    monkeypatch.setenv("DATABASE_URL", postgres_url(HOME).removesuffix("pulsequill") + name)
    monkeypatch.setenv("REDIS_URL", valkey_url(HOME))
    monkeypatch.setenv("SECRET_KEY", settings.SECRET_KEY)
    monkeypatch.setenv("PUBLIC_URL", settings.PUBLIC_URL)
    arguments = ("pulsequill.asgi:application", "--log-level", "error", "--timeout-graceful-shutdown", "1", "--port")
    ports = free_port(), free_port()
    publisher = Publisher()

    def react() -> None:
        for number in range(6):
            store([opened(mailing, number)])
            publish(publisher, mailing)

    async def look() -> list[Seen]:
        watching = [
            asyncio.create_task(watch(url_of(port, mailing), authorization, sockets=3, seconds=4)) for port in ports
        ]
        await asyncio.sleep(2)
        await sync_to_async(react)()
        return await asyncio.gather(*watching)

    with (
        server("uvicorn", *arguments, str(ports[0]), port=ports[0]),
        server("uvicorn", *arguments, str(ports[1]), port=ports[1]),
    ):
        both = asyncio.run(look())
    for seen in both:
        assert (seen.opened, seen.closed, seen.gaps) == (3, {}, 0)
        assert max(count for _, count in seen.counts) == 6
