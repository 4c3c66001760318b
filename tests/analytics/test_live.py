"""Live figures: marks become numbered frames; snapshot plus frames equals a reload."""

from __future__ import annotations

import itertools
import json
from datetime import timedelta
from typing import Any
from unittest.mock import Mock
from uuid import uuid4

import pytest
import redis
from asgiref.sync import sync_to_async
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts.models import User, Workspace
from analytics.ingest.store import store
from analytics.live import frames
from analytics.live.publisher import Publisher
from analytics.selectors import get_live_frame, get_live_snapshot
from analytics.selectors.live import get_live_parts
from analytics.sockets import websocket_urlpatterns
from pulsequill.core.event_log import encode
from pulsequill.core.live import DIRTY, mark_dirty
from pulsequill.core.valkey import streams_client
from tests.analytics.making import Mailing, make_mailing, make_member, make_workspace

BROWSER = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"


def opened(mailing: Mailing, number: int) -> bytes:
    return encode(
        kind="opened", message_id=mailing.messages[number].pk, source="tracking", user_agent=BROWSER,
        occurred_at=timezone.now(),
    )  # fmt: skip


def without_clock(frame: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in frame.items() if key not in ("at", "seq", "minutes", "per_minute", "progress")}


def moved_minutes(frame: dict[str, Any]) -> list[dict[str, Any]]:
    return [minute for minute in frame["minutes"] if any(value for key, value in minute.items() if key != "minute")]


def publish_now(publisher: Publisher, mailing: Mailing) -> int:
    """Publish as if the time between two frames had passed."""
    publisher._not_before.clear()
    streams_client().delete(frames.turn_key(mailing.campaign.pk))
    return publisher.publish_due()


@pytest.mark.django_db
class TestPublisher:
    """From marks to frames."""

    def test_many_marks_of_a_campaign_are_one_frame(self) -> None:
        mailing = make_mailing(size=1)
        for _ in range(50):
            mark_dirty(mailing.campaign.pk)
        publisher = Publisher()
        assert publisher.publish_due() == 1
        assert publisher.publish_due() == 0

    def test_a_campaign_gets_at_most_two_frames_a_second(self, monkeypatch: pytest.MonkeyPatch) -> None:
        mailing, clock = make_mailing(size=1), itertools.count(step=0.05)
        monkeypatch.setattr("analytics.live.publisher.COST_SHARE", 1.0)
        monkeypatch.setattr("analytics.live.publisher.time.monotonic", lambda: next(clock))
        publisher, sent = Publisher(), 0
        for _ in range(200):
            mark_dirty(mailing.campaign.pk)
            sent += publisher.publish_due()
        seconds = next(clock)
        assert 0 < sent <= seconds * 2 + 1

    def test_a_mark_that_must_wait_is_not_lost(self) -> None:
        mailing = make_mailing(size=1)
        publisher = Publisher()
        mark_dirty(mailing.campaign.pk)
        assert publisher.publish_due() == 1
        mark_dirty(mailing.campaign.pk)
        assert publisher.publish_due() == 0
        assert publish_now(publisher, mailing) == 1

    def test_frames_are_numbered_for_each_campaign(self) -> None:
        one, two = make_mailing(size=1), make_mailing(make_workspace("Other"), size=1)
        publisher = Publisher()
        for _ in range(3):
            mark_dirty(one.campaign.pk)
            publish_now(publisher, one)
        mark_dirty(two.campaign.pk)
        publisher.publish_due()
        # the parts that move slowly come with the first frame only
        assert get_live_snapshot(one.campaign)["seq"] == 4
        assert get_live_snapshot(two.campaign)["seq"] == 2

    def test_two_publishers_take_turns(self) -> None:
        mailing = make_mailing(size=1)
        one, two = Publisher(), Publisher()
        mark_dirty(mailing.campaign.pk)
        assert one.publish_due() == 1
        mark_dirty(mailing.campaign.pk)
        assert two.publish_due() == 0
        assert publish_now(two, mailing) == 1

    def test_a_last_frame_of_each_kind_follows_when_nothing_more_happens(self, monkeypatch: pytest.MonkeyPatch) -> None:
        mailing, clock = make_mailing(size=1), itertools.count()
        monkeypatch.setattr("analytics.live.publisher.time.monotonic", lambda: next(clock))
        sent: list[str] = []
        monkeypatch.setattr(frames, "send", lambda _client, _campaign, frame: sent.append(frame["type"]))
        publisher = Publisher()
        mark_dirty(mailing.campaign.pk)
        for _ in range(60):
            publish_now(publisher, mailing)
        assert sent[:2] == ["totals", "parts"]
        assert sorted(sent[2:]) == ["parts", "totals"]

    def test_a_frame_that_valkey_did_not_take_is_sent_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        mailing, publisher = make_mailing(size=1), Publisher()
        mark_dirty(mailing.campaign.pk)
        with monkeypatch.context() as away:
            away.setattr("pulsequill.core.live.publish", Mock(side_effect=redis.ConnectionError))
            with pytest.raises(redis.ConnectionError):
                publisher.publish_due()
        assert publish_now(publisher, mailing) == 1

    def test_a_deleted_campaign_is_no_trouble(self) -> None:
        mark_dirty(uuid4())
        assert Publisher().publish_due() == 1
        assert streams_client().scard(DIRTY) == 0

    def test_snapshot_plus_frames_equals_a_reload(self) -> None:
        mailing = make_mailing(size=6, variants=2, sent_at=timezone.now())
        page: dict[str, Any] = get_live_snapshot(mailing.campaign)
        for number in (0, 1, 1, 2):
            store([opened(mailing, number)])
            page = {**page, **get_live_frame(mailing.campaign), **get_live_parts(mailing.campaign)}
        again = get_live_snapshot(mailing.campaign)
        assert without_clock(page) == without_clock(again)
        assert moved_minutes(page) == moved_minutes(again)
        assert page["totals"]["unique_opens"] == 3
        assert page["views"]["human"]["opens"] == 3
        assert json.loads(json.dumps(page)) is not None

    def test_speed_and_finish_come_from_the_last_minutes(self) -> None:
        mailing = make_mailing(size=10, status="queued", sent_at=timezone.now() - timedelta(minutes=2))
        from campaigns.models import DeliveryMinute

        minute = timezone.now().replace(second=0, microsecond=0) - timedelta(minutes=1)
        DeliveryMinute.objects.create(campaign=mailing.campaign, variant=mailing.variants[0], minute=minute, sent=5)
        progress = get_live_frame(mailing.campaign)["progress"]
        assert (progress["done"], progress["total"], progress["per_minute"]) == (0, 10, 5)
        assert progress["finish_at"] > timezone.now().isoformat()


@pytest.fixture
def workspace(transactional_db: None) -> Workspace:
    return make_workspace()


@pytest.fixture
def member(workspace: Workspace) -> User:
    return make_member(workspace)


def socket_of(campaign_id: Any, member: User | None, origin: str = "") -> WebsocketCommunicator:
    headers = [(b"origin", (origin or settings.PUBLIC_URL).encode())]
    if member is not None:
        client = Client()
        client.force_login(member)
        headers.append(
            (b"cookie", f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}".encode())
        )
    return WebsocketCommunicator(URLRouter(websocket_urlpatterns), f"/ws/campaigns/{campaign_id}", headers=headers)


async def close_code(socket: WebsocketCommunicator) -> int:
    await socket.connect()
    while True:
        message = await socket.receive_output(timeout=10)
        if message["type"] == "websocket.close":
            return int(message["code"])


@pytest.mark.django_db(transaction=True)
class TestSocket:
    """Who gets what over `/ws/campaigns/<id>`."""

    async def test_it_sends_the_snapshot_and_then_the_frames(self, workspace: Workspace, member: User) -> None:
        mailing = await sync_to_async(make_mailing)(workspace, size=2, sent_at=timezone.now())
        socket = await sync_to_async(socket_of)(mailing.campaign.pk, member)
        assert (await socket.connect())[0]
        first = await socket.receive_json_from(timeout=10)
        assert (first["type"], first["totals"]["unique_opens"]) == ("totals", 0)
        await sync_to_async(store)([opened(mailing, 0)])
        mark = sync_to_async(mark_dirty)
        await mark(mailing.campaign.pk)
        await sync_to_async(Publisher().publish_due)()
        second = await socket.receive_json_from(timeout=10)
        assert (second["seq"], second["totals"]["unique_opens"]) == (first["seq"] + 1, 1)
        assert mailing.messages[0].email not in json.dumps(second)
        await socket.disconnect()

    async def test_it_shows_the_last_frame_though_that_was_lost_with_the_line(
        self, workspace: Workspace, member: User
    ) -> None:
        mailing = await sync_to_async(make_mailing)(workspace, size=2, sent_at=timezone.now())
        socket = await sync_to_async(socket_of)(mailing.campaign.pk, member)
        assert (await socket.connect())[0]
        first = await socket.receive_json_from(timeout=10)
        await sync_to_async(store)([opened(mailing, 0)])
        with redis.Redis.from_url(settings.STREAMS_URL) as valkey:
            valkey.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        mark = sync_to_async(mark_dirty)
        await mark(mailing.campaign.pk)
        await sync_to_async(Publisher().publish_due)()
        shown = await socket.receive_json_from(timeout=30)
        assert (shown["seq"] > first["seq"], shown["totals"]["unique_opens"]) == (True, 1)
        await socket.disconnect()

    async def test_another_workspaces_campaign_is_not_there(self, member: User) -> None:
        foreign = await sync_to_async(lambda: make_mailing(make_workspace("Other")))()
        assert await close_code(await sync_to_async(socket_of)(foreign.campaign.pk, member)) == 4404
        assert await close_code(await sync_to_async(socket_of)(uuid4(), member)) == 4404

    async def test_strangers_and_foreign_pages_are_refused(self, workspace: Workspace, member: User) -> None:
        mailing = await sync_to_async(make_mailing)(workspace)
        assert await close_code(await sync_to_async(socket_of)(mailing.campaign.pk, None)) == 4401
        foreign_page = await sync_to_async(socket_of)(mailing.campaign.pk, member, "https://evil.example")
        assert await close_code(foreign_page) == 4403

    async def test_frames_of_other_campaigns_do_not_come_through(self, workspace: Workspace, member: User) -> None:
        mine = await sync_to_async(make_mailing)(workspace, size=1)
        other = await sync_to_async(make_mailing)(workspace, size=1, name="Another")
        socket = await sync_to_async(socket_of)(mine.campaign.pk, member)
        await socket.connect()
        await socket.receive_json_from(timeout=10)
        await sync_to_async(mark_dirty)(other.campaign.pk)
        await sync_to_async(Publisher().publish_due)()
        assert await socket.receive_nothing(timeout=0.5)
        await socket.disconnect()
