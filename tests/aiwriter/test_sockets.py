"""`/ws/generations/<id>`: live, resumed, late, and only for the workspace."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
import redis
from asgiref.sync import sync_to_async
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import Client

from accounts.models import User
from aiwriter.agents import running
from aiwriter.models import Draft, Generation
from aiwriter.services.generations import cancel_generation
from aiwriter.sockets import websocket_urlpatterns
from aiwriter.streams import FrameWriter
from tests.aiwriter.making import ask, make_member, make_workspace, written

pytestmark = pytest.mark.django_db(transaction=True)


def socket_of(generation_id: Any, member: User, after: str = "") -> WebsocketCommunicator:
    client = Client()
    client.force_login(member)
    cookie = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
    headers = [(b"origin", settings.PUBLIC_URL.encode()), (b"cookie", cookie.encode())]
    path = f"/ws/generations/{generation_id}" + (f"?after={after}" if after else "")
    return WebsocketCommunicator(URLRouter(websocket_urlpatterns), path, headers=headers)


async def read_until_done(socket: WebsocketCommunicator) -> list[dict[str, Any]]:
    frames = []
    while not frames or frames[-1]["type"] != "done":
        frames.append(await socket.receive_json_from(timeout=10))
    return frames


@sync_to_async
def prepare() -> tuple[Generation, User]:
    workspace = make_workspace()
    return ask(workspace), make_member(workspace)


async def test_it_sends_the_frames_while_they_are_written():
    generation, member = await prepare()
    socket = await sync_to_async(socket_of)(generation.pk, member)
    await socket.connect()

    await sync_to_async(running.run)(generation.pk)
    frames = await read_until_done(socket)

    assert [frame["seq"] for frame in frames] == list(range(1, len(frames) + 1))
    assert frames[0]["type"] == "status"
    stored = [draft async for draft in Draft.objects.filter(generation=generation).order_by("position")]
    final = [frame for frame in frames if frame["type"] == "draft" and frame["is_final"]]
    assert [(f["id"], f["blocks"]) for f in final] == [(str(draft.pk), draft.blocks) for draft in stored]
    assert frames[-1]["generation"]["origin"] == "offline_template"
    assert (await socket.receive_output(timeout=10))["type"] == "websocket.close"


async def test_a_dropped_socket_resumes_where_it_was_and_misses_nothing():
    generation, member = await prepare()
    whole = await sync_to_async(socket_of)(generation.pk, member)
    await whole.connect()
    await sync_to_async(running.run)(generation.pk)
    everything = await read_until_done(whole)

    first = await sync_to_async(socket_of)(generation.pk, member)
    await first.connect()
    pieces = [await first.receive_json_from(timeout=10) for _ in range(5)]
    await first.disconnect()
    second = await sync_to_async(socket_of)(generation.pk, member, after=str(pieces[-1]["seq"]))
    await second.connect()
    pieces += await read_until_done(second)

    assert pieces == everything


async def test_it_waits_for_frames_longer_than_one_read():
    generation, member = await prepare()
    socket = await sync_to_async(socket_of)(generation.pk, member)
    await socket.connect()

    assert await socket.receive_nothing(timeout=0.3)
    await sync_to_async(FrameWriter(generation.workspace_id, generation.pk))({"type": "status", "status": "running"})

    assert (await socket.receive_json_from(timeout=10))["status"] == "running"
    await socket.disconnect()


async def test_when_the_stream_is_gone_the_database_tells_the_end():
    generation, member = await prepare()
    await sync_to_async(written)(generation)
    with redis.Redis.from_url(settings.REDIS_URL) as valkey:
        valkey.flushall()

    socket = await sync_to_async(socket_of)(generation.pk, member, after="7")
    await socket.connect()
    frames = await read_until_done(socket)

    assert [frame["type"] for frame in frames] == ["draft", "draft", "draft", "done"]


async def test_a_generation_cancelled_in_the_queue_ends_at_once():
    generation, member = await prepare()
    await sync_to_async(cancel_generation)(generation=generation, actor=member)

    socket = await sync_to_async(socket_of)(generation.pk, member)
    await socket.connect()

    assert (await read_until_done(socket))[-1]["status"] == "cancelled"


async def test_another_workspaces_generation_is_not_there():
    generation, _ = await prepare()
    _, stranger = await prepare()

    for generation_id in (generation.pk, uuid4()):
        socket = await sync_to_async(socket_of)(generation_id, stranger)
        await socket.connect()
        message = await socket.receive_output(timeout=10)
        assert (message["type"], message["code"]) == ("websocket.close", 4404)
