"""The channel layer on a real Valkey: who gets what, and what happens when the line is lost."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from asgiref.sync import sync_to_async
from django.conf import settings

from pulsequill.core import fan_out
from pulsequill.core.fan_out import FanOut, publish
from pulsequill.embedded import valkey
from pulsequill.embedded.addresses import valkey_url
from tests.chaos.fleet import Machine
from tests.waiting import wait_until

WAIT_S = 30
RESUMED = {"type": "resumed"}
say = sync_to_async(publish)


class Hall:
    """Sockets at a layer: each is a task that receives as Channels does, and notes what it got."""

    def __init__(self, layer: FanOut) -> None:
        self.layer = layer
        self.got: list[list[dict[str, Any]]] = []
        self.tasks: list[asyncio.Task[None]] = []
        self.names: list[str] = []

    async def enter(self, *groups: str, reads: bool = True) -> int:
        """Add a socket in these groups and return its number."""
        name, got = await self.layer.new_channel(), []
        self.names.append(name)
        self.got.append(got)
        if reads:
            self.tasks.append(asyncio.create_task(self._receive(name, got)))
        for group in groups:
            await self.layer.group_add(group, name)
        return len(self.got) - 1

    async def _receive(self, name: str, got: list[dict[str, Any]]) -> None:
        while True:
            got.append(await self.layer.receive(name))

    async def end(self, number: int) -> None:
        """Let a socket end without a word, as one whose handler failed."""
        self.tasks[number].cancel()
        await asyncio.wait([self.tasks[number]])

    async def until(self, count: int, of: int = 0) -> list[dict[str, Any]]:
        """Wait until socket number `of` has so many messages, and return them."""
        async with asyncio.timeout(WAIT_S):
            while len(self.got[of]) < count:
                await asyncio.sleep(0.01)
        return self.got[of]


@pytest.fixture
async def hall() -> AsyncIterator[Hall]:
    made = Hall(FanOut(address=settings.STREAMS_URL))
    yield made
    for number in range(len(made.tasks)):
        await made.end(number)


@pytest.fixture
def server() -> Iterator[redis.Redis]:
    with redis.Redis.from_url(settings.STREAMS_URL, decode_responses=True) as client:
        yield client


def lines(server: redis.Redis) -> list[str]:
    return [line["id"] for line in server.client_list(_type="pubsub")]


def heard(server: redis.Redis, group: str) -> int:
    return server.pubsub_numsub(f"live:{group}")[0][1]


async def eventually(condition: Any, what: str) -> None:
    await asyncio.to_thread(wait_until, condition, what=what)


async def test_everybody_in_a_group_gets_each_message_once_and_nobody_else(hall: Hall) -> None:
    for _ in range(20):
        await hall.enter("a")
    await hall.enter("b")
    for number in range(3):
        await say("a", {"type": "frame", "number": number})
    await say("b", {"type": "frame", "number": "last"})
    for number in range(20):
        await hall.until(3, of=number)
    assert await hall.until(1, of=20) == [{"type": "frame", "number": "last"}]
    assert all([message["number"] for message in got] == [0, 1, 2] for got in hall.got[:20])


async def test_a_message_is_decoded_once_however_many_get_it(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[bytes] = []
    loads = json.loads
    monkeypatch.setattr(fan_out.json, "loads", lambda text: decoded.append(text) or loads(text))
    for _ in range(50):
        await hall.enter("a")
    await say("a", {"type": "frame"})
    for number in range(50):
        await hall.until(1, of=number)
    assert len(decoded) == 1


async def test_a_process_subscribes_once_and_no_longer_than_somebody_is_there(hall: Hall, server: redis.Redis) -> None:
    for _ in range(10):
        await hall.enter("a", "b")
    assert (len(lines(server)), heard(server, "a"), heard(server, "b")) == (1, 1, 1)
    for name in hall.names:
        await hall.layer.group_discard("a", name)
    await eventually(lambda: heard(server, "a") == 0, "the end of a subscription")
    assert heard(server, "b") == 1
    for number in range(10):
        await hall.end(number)  # they never said that they leave b
    await eventually(lambda: not lines(server), "the end of the line")
    await hall.enter("a")
    await say("a", {"type": "frame"})
    assert await hall.until(1, of=10) == [{"type": "frame"}]


async def test_whoever_left_gets_nothing_more(hall: Hall) -> None:
    await hall.enter("a")
    await hall.enter("a")
    await hall.layer.group_discard("a", hall.names[0])
    await say("a", {"type": "frame"})
    await hall.until(1, of=1)
    assert hall.got[0] == []


async def test_a_group_that_is_left_and_joined_at_once_is_heard(hall: Hall, server: redis.Redis) -> None:
    await hall.enter("a", "b")
    for _ in range(20):
        await asyncio.gather(hall.layer.group_discard("a", hall.names[0]), hall.layer.group_add("a", hall.names[0]))
    await say("a", {"type": "frame"})
    assert await hall.until(1) == [{"type": "frame"}]


async def test_who_reads_nothing_keeps_the_newest_and_holds_up_nobody(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fan_out, "CAPACITY", 3)
    await hall.enter("a")
    await hall.enter("a", reads=False)
    for number in range(8):
        await say("a", {"type": "frame", "number": number})
        await hall.until(number + 1)
    late = [(await hall.layer.receive(hall.names[1]))["number"] for _ in range(3)]
    assert late == [5, 6, 7]
    await hall.layer.group_discard("a", hall.names[1])


async def test_a_killed_line_is_told_to_everybody_once_and_then_heard_again(hall: Hall, server: redis.Redis) -> None:
    for _ in range(5):
        await hall.enter("a", "b")
    server.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
    await say("a", {"type": "frame", "number": "lost"})
    for number in range(5):
        assert await hall.until(1, of=number) == [RESUMED]
    await say("a", {"type": "frame", "number": "heard"})
    for number in range(5):
        assert (await hall.until(2, of=number))[1]["number"] == "heard"


async def test_a_line_that_only_is_quiet_is_kept(
    hall: Hall, server: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fan_out, "QUIET_S", 0.5)
    await hall.enter("a")
    before = lines(server)
    asked = lambda: server.info("commandstats").get("cmdstat_ping", {}).get("calls", 0)  # noqa: E731
    pings = asked()
    await eventually(lambda: asked() >= pings + 3, "three questions")
    assert (lines(server), hall.got[0]) == (before, [])


async def test_a_line_that_does_not_answer_is_given_up(
    hall: Hall, server: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fan_out, "QUIET_S", 0.1)
    await hall.enter("a")
    server.execute_command("CLIENT", "PAUSE", 1000, "ALL")
    assert (await hall.until(1))[0] == RESUMED


async def test_it_hears_again_after_a_restart_of_valkey(tmp_path: Path) -> None:
    machine = await asyncio.to_thread(Machine.start, valkey.service(tmp_path))
    hall = Hall(FanOut(address=valkey_url(tmp_path)))
    try:
        await hall.enter("a")
        await asyncio.to_thread(machine.kill)
        assert await hall.until(1) == [RESUMED]
        with redis.Redis.from_url(valkey_url(tmp_path)) as client:
            await asyncio.to_thread(client.publish, "live:a", json.dumps({"type": "frame"}))
        assert (await hall.until(2))[1] == {"type": "frame"}
    finally:
        await hall.end(0)
        await asyncio.to_thread(machine.stop)


async def test_joining_fails_in_time_while_valkey_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fan_out, "ANSWER_SECONDS", 0.2)
    hall = Hall(FanOut(address=f"unix://{tmp_path}/nobody.sock"))
    with pytest.raises(TimeoutError):
        await hall.enter("a")
    await hall.end(0)
