"""`/ws/generations/<id>`: live, resumed, late, and only for the workspace."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event, Thread
from typing import Any
from uuid import uuid4

import pytest
import redis
from asgiref.sync import sync_to_async
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.db import connection
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from aiwriter.agents import running
from aiwriter.models import Draft, Generation
from aiwriter.services.generations import cancel_generation
from aiwriter.sockets import websocket_urlpatterns
from aiwriter.streams import MOST_FRAMES, FrameWriter
from tests.aiwriter import team
from tests.aiwriter.making import ask, make_member, make_workspace, written
from tests.fakes.llm_server import LLMServer, Reply, Request

pytestmark = pytest.mark.django_db(transaction=True)
#: What a reader reads of a draft.
WORDS = ("subject", "preview_text", "blocks")


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
        frames.append(await socket.receive_json_from(timeout=60))
    return frames


@sync_to_async
def prepare(**brief: Any) -> tuple[Generation, User]:
    workspace = make_workspace()
    return ask(workspace, **brief), make_member(workspace)


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
    assert (await socket.receive_output(timeout=60))["type"] == "websocket.close"


async def test_a_dropped_socket_resumes_where_it_was_and_misses_nothing():
    generation, member = await prepare()
    whole = await sync_to_async(socket_of)(generation.pk, member)
    await whole.connect()
    await sync_to_async(running.run)(generation.pk)
    everything = await read_until_done(whole)

    first = await sync_to_async(socket_of)(generation.pk, member)
    await first.connect()
    pieces = [await first.receive_json_from(timeout=60) for _ in range(5)]
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

    assert (await socket.receive_json_from(timeout=60))["status"] == "running"
    await socket.disconnect()


async def test_when_the_stream_is_gone_the_database_tells_the_end():
    generation, member = await prepare()
    await sync_to_async(written)(generation)
    with redis.Redis.from_url(settings.REDIS_URL) as valkey:
        valkey.flushall()

    socket = await sync_to_async(socket_of)(generation.pk, member, after="7")
    await socket.connect()
    frames = await read_until_done(socket)

    assert [frame["type"] for frame in frames if frame["type"] != "stage"] == ["draft", "draft", "draft", "done"]


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
        message = await socket.receive_output(timeout=60)
        assert (message["type"], message["code"]) == ("websocket.close", 4404)


# --- a model that is still writing ---------------------------------------------------------------------------------
@pytest.fixture
def server(settings) -> Iterator[LLMServer]:
    with LLMServer(otherwise=team.answer) as running_server:
        settings.OPENAI_API_KEY = settings.ANTHROPIC_API_KEY = "sk-test"
        settings.OPENAI_BASE_URL, settings.ANTHROPIC_BASE_URL = running_server.openai_url, running_server.url
        settings.EMBEDDER = "lexical"
        yield running_server


def run_in_thread(generation: Generation) -> Thread:
    def work() -> None:
        try:
            running.run(generation.pk)
        finally:
            connection.close()

    thread = Thread(target=work)
    thread.start()
    return thread


@sync_to_async
def poll(generation: Generation, member: User) -> dict[str, Any]:
    api = APIClient()
    api.force_login(member)
    return api.get(f"/v1/ai/drafts/{generation.pk}").json()


async def test_a_socket_that_drops_while_a_model_writes_resumes_and_ends_with_what_is_stored(server):
    gate = Event()

    def held_up(request: Request) -> Reply:
        reply = team.answer(request)
        if team.role_of(request) == "writer":
            reply.gate, reply.pieces = gate, 4  # the gate is behind the third piece
        return reply

    server.otherwise = held_up
    generation, member = await prepare(cta_url=team.LINK)
    first = await sync_to_async(socket_of)(generation.pk, member)
    await first.connect()
    worker = run_in_thread(generation)
    pieces = []
    while not pieces or pieces[-1]["type"] != "draft":
        pieces.append(await first.receive_json_from(timeout=60))
    await first.disconnect()
    assert (await poll(generation, member))["status"] == "running"
    gate.set()

    second = await sync_to_async(socket_of)(generation.pk, member, after=str(pieces[-1]["seq"]))
    await second.connect()
    while pieces[-1]["type"] != "done":
        pieces.append(await second.receive_json_from(timeout=60))
    await sync_to_async(worker.join)(60)

    assert [piece["seq"] for piece in pieces] == list(range(1, len(pieces) + 1)), (
        "nothing is missing, nothing came twice"
    )
    polled = await poll(generation, member)
    assert polled["status"] == "succeeded"
    drafts = [piece for piece in pieces if piece["type"] == "draft"]
    for stored in polled["drafts"]:
        own = [piece for piece in drafts if piece["position"] == stored["position"]]
        growing = [piece for piece in own if not piece["is_final"]]
        assert len(growing) > 1
        for shown in (growing[-1], own[-1]):
            assert [shown[name] for name in WORDS] == [stored[name] for name in WORDS]
    assert pieces[-1]["generation"]["drafts"] == polled["drafts"]


async def test_a_slow_reader_gets_every_frame_in_order():
    generation, member = await prepare()
    write = FrameWriter(generation.workspace_id, generation.pk)
    socket = await sync_to_async(socket_of)(generation.pk, member)
    await socket.connect()

    def write_much() -> None:
        for number in range(1500):
            write({"type": "draft", "number": number})
        write({"type": "done", "status": "succeeded"})

    await sync_to_async(write_much)()
    frames = await read_until_done(socket)

    assert [frame.get("number") for frame in frames[:-1]] == list(range(1500))
    assert [frame["seq"] for frame in frames] == list(range(1, 1502))


async def test_a_reader_that_comes_after_much_was_dropped_still_gets_the_end():
    generation, member = await prepare()
    write = FrameWriter(generation.workspace_id, generation.pk)

    def write_too_much() -> None:
        for number in range(MOST_FRAMES * 3 // 2):
            write({"type": "draft", "number": number})
        write({"type": "done", "status": "succeeded"})

    await sync_to_async(write_too_much)()
    socket = await sync_to_async(socket_of)(generation.pk, member)
    await socket.connect()
    frames = await read_until_done(socket)

    numbers = [frame["seq"] for frame in frames]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert MOST_FRAMES <= len(frames) < MOST_FRAMES * 3 // 2


async def test_a_reader_that_fails_says_so_and_closes_so_that_the_page_comes_again(monkeypatch):
    generation, member = await prepare()
    await sync_to_async(written)(generation)
    with redis.Redis.from_url(settings.REDIS_URL) as valkey:
        valkey.flushall()

    def broken(_generation: Generation) -> list[dict[str, Any]]:
        raise LookupError

    monkeypatch.setattr("aiwriter.sockets.final_frames", broken)
    socket = await sync_to_async(socket_of)(generation.pk, member)
    await socket.connect()

    message = await socket.receive_output(timeout=60)
    assert (message["type"], message["code"]) == ("websocket.close", 1011)
