"""WebSockets of a workspace: who may open one, and when it is closed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import redis
from asgiref.sync import sync_to_async
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import Client

from accounts import sockets
from accounts.models import Membership, User, Workspace
from accounts.services import api_keys, members, sessions, socket_tickets
from pulsequill.core import live

pytestmark = pytest.mark.django_db(transaction=True)

APPLICATION = URLRouter(sockets.websocket_urlpatterns)
ORIGIN = ("origin", "http://testserver")
HOST = ("host", "testserver")


@asynccontextmanager
async def opened(*headers: tuple[str, str], query: str = "") -> AsyncIterator[WebsocketCommunicator]:
    sent = [(name.encode(), text.encode()) for name, text in (HOST, *headers)]
    socket = WebsocketCommunicator(APPLICATION, f"/ws/workspace{query}", headers=sent)
    accepted, _ = await socket.connect(timeout=10)
    assert accepted
    try:
        yield socket
    finally:
        await socket.disconnect()


async def closing_code(socket: WebsocketCommunicator) -> int:
    message = await socket.receive_output(timeout=10)
    assert message["type"] == "websocket.close", message
    return message["code"]


def cookie_of(user: User) -> tuple[str, str]:
    browser = Client()
    browser.force_login(user)
    return "cookie", f"{settings.SESSION_COOKIE_NAME}={browser.session.session_key}"


def bearer(text: str) -> tuple[str, str]:
    return "authorization", f"Bearer {text}"


async def test_a_session_from_our_own_page_gets_frames(owner: User, workspace: Workspace) -> None:
    settings.ALLOWED_HOSTS.append("testserver")
    cookie = await sync_to_async(cookie_of)(owner)
    async with opened(cookie, ORIGIN) as socket:
        assert await socket.receive_json_from(timeout=10) == {"seq": 1, "type": "hello", "workspace": "brand"}
        await sync_to_async(live.push_now)(live.workspace_group(workspace.pk), {"type": "import", "processed": 5})
        assert await socket.receive_json_from(timeout=10) == {"seq": 2, "type": "import", "processed": 5}


@pytest.mark.parametrize("origin", [(), (("origin", "https://evil.example"),), (("origin", "null"),)])
async def test_a_session_from_elsewhere_is_refused(owner: User, workspace: Workspace, origin: Any) -> None:
    cookie = await sync_to_async(cookie_of)(owner)
    async with opened(cookie, *origin) as socket:
        assert await closing_code(socket) == 4403


async def test_nobody_is_refused() -> None:
    async with opened() as socket:
        assert await closing_code(socket) == 4401
    async with opened(bearer("eyJx.y.z")) as socket:
        assert await closing_code(socket) == 4401


async def test_bearer_tokens_and_keys_open_it(owner: User, workspace: Workspace) -> None:
    access = await sync_to_async(lambda: sessions.start_session(user=owner).access)()
    _, key = await sync_to_async(api_keys.create_api_key)(workspace=workspace, actor=owner, name="Shop")
    for text in (access, key):
        async with opened(bearer(text)) as socket:
            assert (await socket.receive_json_from(timeout=10))["type"] == "hello"


async def test_a_key_without_the_scope_is_refused(owner: User, workspace: Workspace) -> None:
    _, key = await sync_to_async(api_keys.create_api_key)(
        workspace=workspace, actor=owner, name="N", scopes=["contact.view"]
    )
    async with opened(bearer(key)) as socket:
        assert await closing_code(socket) == 4403


async def test_a_ticket_opens_it_once(owner: User, workspace: Workspace) -> None:
    ticket = await sync_to_async(socket_tickets.make_ticket)(workspace=workspace, user=owner, api_key=None)
    async with opened(query=f"?ticket={ticket}") as socket:
        assert (await socket.receive_json_from(timeout=10))["type"] == "hello"
    async with opened(query=f"?ticket={ticket}") as socket:
        assert await closing_code(socket) == 4401


async def test_a_removed_member_is_cut_off_at_once(owner: User, workspace: Workspace) -> None:
    person = await User.objects.acreate(email="ed@brand.example")
    membership = await Membership.objects.acreate(workspace=workspace, user=person, role="editor")
    access = await sync_to_async(lambda: sessions.start_session(user=person).access)()
    async with opened(bearer(access)) as socket:
        await socket.receive_json_from(timeout=10)
        membership = await Membership.objects.select_related("workspace", "user").aget(pk=membership.pk)
        await sync_to_async(members.remove_member)(membership=membership, actor=owner)
        assert await closing_code(socket) == 4403


async def test_signing_out_everywhere_closes_it_at_the_next_check(
    owner: User, workspace: Workspace, monkeypatch
) -> None:
    monkeypatch.setattr(sockets, "PING_EVERY_S", 0.05)
    access = await sync_to_async(lambda: sessions.start_session(user=owner).access)()
    async with opened(bearer(access)) as socket:
        assert (await socket.receive_json_from(timeout=10))["type"] == "hello"
        assert await socket.receive_json_from(timeout=10) == {"seq": 1, "type": "ping"}
        await sync_to_async(sessions.end_all_sessions)(user=owner)
        message: dict[str, Any] = {}
        while message.get("type") != "websocket.close":
            message = await socket.receive_output(timeout=10)
        assert message["code"] == 4401


async def test_a_client_that_talks_too_much_is_closed(owner: User, workspace: Workspace) -> None:
    access = await sync_to_async(lambda: sessions.start_session(user=owner).access)()
    async with opened(bearer(access)) as socket:
        await socket.receive_json_from(timeout=10)
        for _ in range(sockets.MAX_INBOUND_PER_S + 1):
            await socket.send_to(text_data="not even json")
        assert await closing_code(socket) == 4408


async def test_a_number_is_left_out_when_frames_may_be_lost(owner: User, workspace: Workspace) -> None:
    access = await sync_to_async(lambda: sessions.start_session(user=owner).access)()
    async with opened(bearer(access)) as socket:
        assert (await socket.receive_json_from(timeout=10))["seq"] == 1
        with redis.Redis.from_url(settings.STREAMS_URL) as valkey:
            valkey.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        assert await socket.receive_json_from(timeout=30) == {"seq": 2, "type": "ping"}
        await sync_to_async(live.push_now)(live.workspace_group(workspace.pk), {"type": "import"})
        assert await socket.receive_json_from(timeout=10) == {"seq": 3, "type": "import"}


async def test_a_flush_of_valkey_costs_no_frame(owner: User, workspace: Workspace) -> None:
    access = await sync_to_async(lambda: sessions.start_session(user=owner).access)()
    async with opened(bearer(access)) as socket:
        await socket.receive_json_from(timeout=10)
        with redis.Redis.from_url(settings.REDIS_URL) as valkey:
            valkey.flushall()
        await sync_to_async(live.push_now)(live.workspace_group(workspace.pk), {"type": "import"})
        assert (await socket.receive_json_from(timeout=10))["type"] == "import"
