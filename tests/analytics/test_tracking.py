"""The tracking endpoints over a real socket, with the real Valkey and without it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import redis
import uvicorn
from django.conf import settings
from django.db import connection
from structlog.testing import capture_logs

from analytics.tracking import asgi as tracking
from analytics.tracking import writer
from analytics.tracking.asgi import PIXEL
from analytics.tracking.links import location
from campaigns.delivery.tracking import click_token, open_token
from campaigns.models import Link
from pulsequill.core.event_log import FIELD, STREAM
from pulsequill.core.valkey import streams_client
from tests.analytics.making import Mailing, make_mailing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def server() -> Iterator[str]:
    """The endpoint behind uvicorn, in a thread with an event loop of its own."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()  # a request that comes before uvicorn is up waits for it
    app = uvicorn.Server(uvicorn.Config(tracking.application, lifespan="off", log_level="warning", proxy_headers=False))
    thread = threading.Thread(target=app.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    app.should_exit = True
    thread.join(timeout=10)


@pytest.fixture
def mailing(transactional_db: None) -> Mailing:
    return make_mailing(size=2)


def kept() -> list[dict[str, Any]]:
    entries = streams_client().xrange(STREAM)
    return [json.loads(line) for _, fields in entries for line in fields[FIELD.encode()].split(b"\n")]


def waiting() -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT entry::text FROM pulsequill_strayevent ORDER BY id")
        return [json.loads(row[0]) for row in cursor.fetchall()]


@pytest.fixture
def no_valkey(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = socket.socket()
    closed.bind(("127.0.0.1", 0))
    monkeypatch.setattr(settings, "STREAMS_URL", f"redis://127.0.0.1:{closed.getsockname()[1]}/3")
    closed.close()


def test_an_open_is_kept_before_the_pixel_is_answered(server: str) -> None:
    answer = httpx.get(f"{server}/t/o/{open_token(42)}", headers={"User-Agent": "Thunderbird/140"})
    assert answer.content == PIXEL
    assert answer.headers["Cache-Control"].startswith("no-store")
    (event,) = kept()
    assert (event["kind"], event["message"], event["agent"], event["ip"]) == (
        "opened",
        42,
        "Thunderbird/140",
        "127.0.0.1",
    )


def test_unknown_and_altered_open_tokens_get_the_same_answer_and_leave_nothing(server: str) -> None:
    good = httpx.get(f"{server}/t/o/{open_token(1)}")
    streams_client().flushall()
    token = open_token(1)
    altered = [token[:-1] + ("A" if token[-1] != "A" else "B"), "", "x" * 5000, click_token(1, 2), "é", token + "/x"]
    for text in altered:
        answer = httpx.get(f"{server}/t/o/{text}")
        assert (answer.status_code, answer.content) == (200, good.content)
        assert {k: v for k, v in answer.headers.items() if k != "date"} == {
            k: v for k, v in good.headers.items() if k != "date"
        }
    assert kept() == []


def test_a_click_is_kept_and_leads_to_the_stored_address(server: str, mailing: Mailing) -> None:
    link, message = mailing.links[0], mailing.messages[0]
    answer = httpx.get(f"{server}/t/c/{click_token(message.pk, link.pk)}")
    assert (answer.status_code, answer.headers["Location"]) == (302, link.url)
    (event,) = kept()
    assert (event["kind"], event["message"], event["link"]) == ("clicked", message.pk, link.pk)


def test_a_click_token_that_is_not_ours_gets_404_without_an_address(server: str, mailing: Mailing) -> None:
    token = click_token(mailing.messages[0].pk, mailing.links[0].pk)
    for text in (token[:-2] + "AA", "https://evil.example", open_token(1), click_token(1, 987_654_321), "", "%00"):
        answer = httpx.get(f"{server}/t/c/{text}")
        assert answer.status_code == 404
        assert "location" not in answer.headers
    assert kept() == []


def test_a_link_to_something_other_than_the_web_is_never_followed(server: str, mailing: Mailing) -> None:
    link = Link.objects.create(
        workspace=mailing.workspace, variant=mailing.variants[0], url="javascript:alert(1)", position=9
    )
    assert httpx.get(f"{server}/t/c/{click_token(mailing.messages[0].pk, link.pk)}").status_code == 404


@pytest.mark.parametrize(
    ("proxies", "expected"),
    [(0, "127.0.0.1"), (1, "10.0.0.2"), (2, "10.0.0.1"), (3, "203.0.113.7"), (9, "198.51.100.1")],
)
def test_proxies_may_each_add_a_header_line(
    server: str, monkeypatch: pytest.MonkeyPatch, proxies: int, expected: str
) -> None:
    monkeypatch.setattr(settings, "TRUSTED_PROXIES", proxies)
    lines = [("X-Forwarded-For", "198.51.100.1, 203.0.113.7"), ("X-Forwarded-For", "10.0.0.1"),
             ("X-Forwarded-For", "10.0.0.2")]  # fmt: skip
    httpx.get(f"{server}/t/o/{open_token(42)}", headers=lines)
    assert [event["ip"] for event in kept()] == [expected]


def test_head_is_answered_and_marked(server: str, mailing: Mailing) -> None:
    token = click_token(mailing.messages[0].pk, mailing.links[0].pk)
    assert httpx.head(f"{server}/t/c/{token}").status_code == 302
    assert httpx.head(f"{server}/t/o/{open_token(5)}").status_code == 200
    assert [event["data"] for event in kept()] == [{"method": "HEAD"}] * 2


def test_other_methods_and_paths_are_refused(server: str) -> None:
    answer = httpx.post(f"{server}/t/o/{open_token(1)}")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert httpx.get(f"{server}/t/x").status_code == 404


def test_without_valkey_events_go_to_postgresql_and_readers_notice_nothing(
    no_valkey: None, mailing: Mailing, server: str
) -> None:
    token = click_token(mailing.messages[0].pk, mailing.links[0].pk)
    assert httpx.get(f"{server}/t/o/{open_token(7)}").content == PIXEL
    assert httpx.get(f"{server}/t/c/{token}").headers["Location"] == mailing.links[0].url
    assert [event["kind"] for event in waiting()] == ["opened", "clicked"]


def test_a_stream_that_is_full_overflows_into_postgresql(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "MAX_ENTRIES", 1)
    streams_client().xadd(STREAM, {FIELD: b"x"})
    httpx.get(f"{server}/t/o/{open_token(7)}")
    assert [event["message"] for event in waiting()] == [7]


def test_many_at_once_are_all_kept_in_fewer_entries(server: str) -> None:
    async def many() -> list[int]:
        async with httpx.AsyncClient(limits=httpx.Limits(max_connections=50)) as client:
            answers = await asyncio.gather(*(client.get(f"{server}/t/o/{open_token(n)}") for n in range(1, 301)))
        return [answer.status_code for answer in answers]

    assert asyncio.run(many()) == [200] * 300
    assert sorted(event["message"] for event in kept()) == list(range(1, 301))
    assert streams_client().xlen(STREAM) <= 300


async def test_a_reader_who_leaves_does_not_disturb_the_others() -> None:
    valkey = redis.asyncio.Redis.from_url(settings.STREAMS_URL)
    events = writer.EventWriter(valkey, writer.database_pool())
    leaving = asyncio.create_task(events.write(b'{"key":"a"}'))
    staying = asyncio.create_task(events.write(b'{"key":"b"}'))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.wait_for(staying, 5)
    await asyncio.wait_for(events.write(b'{"key":"c"}'), 5)
    assert {event["key"] for event in kept()} == {"a", "b", "c"}
    await valkey.aclose()


async def test_while_both_stores_are_away_events_are_held_and_kept_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "HELD_RETRY_SECONDS", 0.05)
    valkey = redis.asyncio.Redis.from_url(settings.STREAMS_URL)
    events = writer.EventWriter(valkey, writer.database_pool())
    away = True

    async def stream(batch: list[bytes]) -> bool:
        if away:
            raise OSError("away")
        return await writer.EventWriter._to_stream(events, batch)

    async def database(batch: list[bytes]) -> None:
        raise OSError("away")

    monkeypatch.setattr(events, "_to_stream", stream)
    monkeypatch.setattr(events, "_to_database", database)
    await asyncio.wait_for(events.write(b'{"key":"a"}'), 5)
    away = False
    for _ in range(100):
        if kept():
            break
        await asyncio.sleep(0.05)
    assert [event["key"] for event in kept()] == ["a"]
    await valkey.aclose()


async def _until_kept(keys: set[str]) -> None:
    async with asyncio.timeout(10):
        while {event["key"] for event in kept()} != keys:
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("is_busy", [True, False])
async def test_what_a_flush_took_away_is_written_again(is_busy: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "LOOK_SECONDS", 0.05)
    valkey = redis.asyncio.Redis.from_url(settings.STREAMS_URL)
    events = writer.EventWriter(valkey, writer.database_pool())
    for key in "ab":
        await events.write(f'{{"key":"{key}"}}'.encode())
    streams_client().flushall()
    if is_busy:
        await events.write(b'{"key":"c"}')
    await _until_kept({"a", "b", "c"} if is_busy else {"a", "b"})
    streams_client().flushall()
    await _until_kept({"a", "b", "c"} if is_busy else {"a", "b"})
    await valkey.aclose()


async def test_what_is_remembered_is_bounded_and_read_events_are_not_written_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(writer, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(writer, "MAX_REMEMBERED", 2)
    valkey = redis.asyncio.Redis.from_url(settings.STREAMS_URL)
    events = writer.EventWriter(valkey, writer.database_pool())
    for key in "abc":
        await events.write(f'{{"key":"{key}"}}'.encode())
    entries = streams_client().xrange(STREAM)
    streams_client().xdel(STREAM, *[entry_id for entry_id, _ in entries])  # as the consumer does
    looked = events._looked_until
    async with asyncio.timeout(10):
        while events._looked_until == looked:
            await asyncio.sleep(0.02)
    assert kept() == []
    streams_client().flushall()
    await _until_kept({"b", "c"})
    await valkey.aclose()


async def test_the_watch_ends_when_it_is_cancelled_though_a_look_swallows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "LOOK_SECONDS", 0.0)
    valkey = redis.asyncio.Redis.from_url(settings.STREAMS_URL)
    events = writer.EventWriter(valkey, writer.database_pool())
    looking = asyncio.Event()

    async def look() -> None:  # as redis-py on Python 3.11, when the answer comes together with the cancellation
        is_first = not looking.is_set()
        looking.set()
        with contextlib.suppress(asyncio.CancelledError) if is_first else contextlib.nullcontext():
            await asyncio.sleep(60)

    await events.write(b'{"key":"a"}')
    monkeypatch.setattr(events, "_look", look)
    events._looked_until = 0.0
    async with asyncio.timeout(20):
        await looking.wait()
        assert events._watch is not None
        events._watch.cancel()
        await asyncio.wait({events._watch})
    await valkey.aclose()


async def test_trying_held_events_again_ends_when_it_is_cancelled_though_a_store_swallows_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(writer, "HELD_RETRY_SECONDS", 0.0)
    valkey = redis.asyncio.Redis.from_url(settings.STREAMS_URL)
    events = writer.EventWriter(valkey, writer.database_pool())
    asked = asyncio.Event()

    async def stream(_batch: list[bytes]) -> bool:
        asked.set()
        with contextlib.suppress(asyncio.CancelledError):  # as redis-py on Python 3.11
            await asyncio.sleep(60)
        return False

    async def database(_batch: list[bytes]) -> None:
        raise OSError("away")

    monkeypatch.setattr(events, "_to_stream", stream)
    monkeypatch.setattr(events, "_to_database", database)
    events._held = [b'{"key":"a"}']
    trying = asyncio.create_task(events._try_held_again())
    async with asyncio.timeout(20):
        await asked.wait()
        trying.cancel()
        await asyncio.wait({trying})
    assert events._held == [b'{"key":"a"}']
    await valkey.aclose()


async def test_a_flush_is_noticed_however_much_others_have_written_since(monkeypatch: pytest.MonkeyPatch) -> None:
    valkey = redis.asyncio.Redis.from_url(settings.STREAMS_URL)
    events, others = (writer.EventWriter(valkey, writer.database_pool()) for _ in range(2))
    monkeypatch.setattr(writer, "LOOK_SECONDS", 3600)  # neither looks by itself
    for number in range(5):
        await events.write(f'{{"key":"own {number}"}}'.encode())
    own, foreign = {f"own {number}" for number in range(5)}, set()
    for flush in range(3):
        streams_client().flushall()
        for number in range(12):
            foreign.add(f"{flush} {number}")
            await others.write(f'{{"key":"{flush} {number}"}}'.encode())
        await events._look()
        await _until_kept(own | {key for key in foreign if key.startswith(str(flush))})
        await others._look()
        await _until_kept(own | foreign)
    await valkey.aclose()


async def test_what_could_not_be_written_again_is_tried_until_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(writer, "AGAIN_AT_ONCE", 2)
    valkey = redis.asyncio.Redis.from_url(settings.STREAMS_URL)
    events = writer.EventWriter(valkey, writer.database_pool())
    for key in "abcde":
        await events.write(f'{{"key":"{key}"}}'.encode())
    real, calls = events._add, 0

    async def flaky(batch: list[bytes]) -> None:
        nonlocal calls
        calls += 1
        if calls in (1, 3):
            raise TimeoutError
        await real(batch)

    monkeypatch.setattr(events, "_add", flaky)
    with capture_logs() as logs:
        streams_client().flushall()
        await _until_kept(set("abcde"))
        async with asyncio.timeout(10):
            while "tracking_stream_written_again" not in (told := [entry["event"] for entry in logs]):
                await asyncio.sleep(0.02)
    assert told.index("tracking_stream_written_again") > told.index("tracking_stream_not_written_again")
    assert told.count("tracking_stream_not_written_again") == 2
    await valkey.aclose()


async def test_writing_much_again_neither_keeps_readers_waiting_nor_shares_their_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(writer, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(writer, "AGAIN_AT_ONCE", 1)
    valkey = redis.asyncio.Redis.from_url(settings.STREAMS_URL)
    events = writer.EventWriter(valkey, writer.database_pool())
    for number in range(20):
        await events.write(f'{{"key":"{number}"}}'.encode())
    real, may_go_on = events._add, asyncio.Event()

    async def slow(batch: list[bytes]) -> None:
        if b"new" not in batch[0]:
            monkeypatch.setattr(writer, "STORE_SECONDS", 60.0)
            await may_go_on.wait()
        await real(batch)

    monkeypatch.setattr(events, "_add", slow)
    streams_client().flushall()
    await asyncio.sleep(0.06)
    await asyncio.wait_for(events.write(b'{"key":"new"}'), 30)
    assert "new" in {event["key"] for event in kept()}
    may_go_on.set()
    await _until_kept({"new", *map(str, range(20))})
    await valkey.aclose()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://shop.example/a?b=c#d", b"https://shop.example/a?b=c#d"),
        ("https://shop.example/käse kaufen", b"https://shop.example/k%C3%A4se%20kaufen"),
        ("https://käse.example/", b"https://xn--kse-qla.example/"),
        ("https://shop.example/a%20b", b"https://shop.example/a%20b"),
        ("ftp://shop.example/", None),
        ("//shop.example/", None),
        ("https://shop.example/\r\nSet-Cookie: a=b", None),
        ("https:///nowhere", None),
        ("http://[half", None),
    ],
)
def test_an_address_becomes_a_safe_location_or_nothing(url: str, expected: bytes | None) -> None:
    assert location(url) == expected
