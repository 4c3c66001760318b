"""The channel layer: one subscription in Valkey for each group that this process has sockets in.

A frame is received and decoded once, however many sockets get it. Valkey keeps nothing: what is published while a
process is cut off is lost for it, so its sockets are told (`resumed`) as soon as it hears again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4
from weakref import WeakKeyDictionary

import structlog
from redis.asyncio import ConnectionError as LineLost
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from pulsequill.core.cancellation import is_cancelled
from pulsequill.core.failures import reason_of
from pulsequill.core.valkey import ANSWER_SECONDS, AWAY, CONNECT_SECONDS, streams_client

logger = structlog.get_logger(__name__)

#: Messages that may wait for one socket. The oldest goes first, so the last one is never lost.
CAPACITY = 100
#: After so long without a word Valkey is asked for one; after as long again the line counts as dead.
QUIET_S = 15.0
RETRY_S = 1.0

Message = dict[str, Any]
Queue = asyncio.Queue[Message]


def publish(group: str, message: Message) -> None:
    """Send a JSON message to every socket of a group, in whatever process; never call it in an event loop.

    Raises:
        one of `pulsequill.core.valkey.AWAY`: nobody got it.
    """
    streams_client().publish(_topic(group), json.dumps(message, separators=(",", ":")))


def _topic(group: str) -> str:
    """Return a group's name in Valkey, where topics are common to all databases."""
    return f"live:{group}"


@dataclass
class _Group:
    """The sockets of this process in one group.

    Attributes:
        queues: channel -> its queue.
        is_heard: set from when Valkey has confirmed the subscription until the line is lost.
    """

    queues: dict[str, Queue] = field(default_factory=dict)
    is_heard: asyncio.Event = field(default_factory=asyncio.Event)


def _put(message: Message, queues: Iterable[Queue]) -> None:
    for queue in queues:
        if queue.full():
            queue.get_nowait()
        queue.put_nowait(message)


class _Ear:
    """What one event loop hears of Valkey: one connection, which is there while anybody is in a group."""

    def __init__(self, address: str) -> None:
        self._address = address
        self.queues: dict[str, Queue] = {}
        self._groups: dict[str, _Group] = {}
        #: Channels that may have missed something, until they are told.
        self._missed: set[str] = set()
        self._line: PubSub | None = None
        #: redis-py's subscriptions are not made for several tasks that send commands at once.
        self._commands = asyncio.Lock()
        self._listening: asyncio.Task[None] | None = None

    async def join(self, topic: str, channel: str) -> None:
        """Put a channel into a group, and wait until Valkey sends what is published to it."""
        group = self._groups.setdefault(topic, _Group())
        is_first = not group.queues
        group.queues[channel] = self.queues[channel]
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen())
        if is_first:
            await self._tell(topic)
        async with asyncio.timeout(ANSWER_SECONDS):
            await group.is_heard.wait()

    async def leave(self, channel: str, topics: Iterable[str] | None = None) -> None:
        """Take a channel out of these groups, or out of all."""
        emptied = []
        for topic in [*self._groups] if topics is None else topics:
            queues = self._groups[topic].queues if topic in self._groups else {}
            if queues.pop(channel, None) and not queues:
                del self._groups[topic]
                emptied.append(topic)
        for topic in emptied:
            await self._tell(topic)
        if not self._groups and self._listening is not None:
            listening, self._listening = self._listening, None
            listening.cancel()
            await asyncio.wait([listening])

    async def _tell(self, topic: str) -> None:
        """Subscribe or unsubscribe, as is wanted now. Without a line there is nothing to do: it begins with all."""
        async with self._commands:
            if self._line is not None:
                change = self._line.subscribe if topic in self._groups else self._line.unsubscribe
                with contextlib.suppress(*AWAY):  # whoever listens sees it, too
                    await change(topic)

    async def _listen(self) -> None:
        while not is_cancelled():
            try:
                async with self._connected() as line:
                    await self._hear(line)
            except Exception as error:  # noqa: BLE001 it must not end while sockets rest on it
                logger.warning("live_line_lost", **reason_of(error))
            await asyncio.sleep(RETRY_S)

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[PubSub]:
        client = Redis.from_url(
            self._address,
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=ANSWER_SECONDS,
            retry=Retry(NoBackoff(), 0),  # redis-py would connect again in silence, and nobody knew what was missed
        )
        async with client, client.pubsub() as line:
            try:
                async with self._commands:
                    await line.subscribe(*self._groups)
                    self._line = line
                yield line
            finally:
                if self._line is line:
                    self._line = None
                for group in self._groups.values():
                    if group.is_heard.is_set():
                        self._missed |= group.queues.keys()
                        group.is_heard.clear()

    async def _hear(self, line: PubSub) -> None:
        """Hand on what comes until the line is lost."""
        is_asked = False
        while not is_cancelled():
            heard = await line.get_message(timeout=QUIET_S)
            if heard is None:
                if is_asked:
                    raise LineLost("no answer")
                async with self._commands:
                    await line.ping()
            is_asked = heard is None
            if heard is None or heard["type"] == "pong":
                continue
            group = self._groups.get(heard["channel"].decode())
            if group is None:
                continue
            if heard["type"] == "message":
                _put(json.loads(heard["data"]), group.queues.values())
            elif heard["type"] == "subscribe":
                group.is_heard.set()
                if self._missed and all(group.is_heard.is_set() for group in self._groups.values()):
                    _put({"type": "resumed"}, [self.queues[name] for name in self._missed & self.queues.keys()])
                    self._missed.clear()


class FanOut:
    """Channels' layer interface, as far as sockets use it: each has a channel of its own and joins groups."""

    extensions = ("groups",)

    def __init__(self, *, address: str) -> None:
        self._address = address
        self._ears: WeakKeyDictionary[asyncio.AbstractEventLoop, _Ear] = WeakKeyDictionary()

    @property
    def _ear(self) -> _Ear:
        loop = asyncio.get_running_loop()
        if loop not in self._ears:
            self._ears[loop] = _Ear(self._address)
        return self._ears[loop]

    async def new_channel(self) -> str:
        """Return the name of a new channel; it lives until its `receive` is cancelled."""
        channel = uuid4().hex
        self._ear.queues[channel] = Queue(CAPACITY)
        return channel

    async def receive(self, channel: str) -> Message:
        """Wait for the channel's next message. Others get the same object: do not change it."""
        try:
            return await self._ear.queues[channel].get()
        except asyncio.CancelledError:  # Channels has no other word for the end of a socket
            self._ear.queues.pop(channel, None)
            await self._ear.leave(channel)
            raise

    async def group_add(self, group: str, channel: str) -> None:
        """Let a channel get what is published to a group from now on.

        Raises:
            TimeoutError: Valkey has not confirmed it in time.
        """
        await self._ear.join(_topic(group), channel)

    async def group_discard(self, group: str, channel: str) -> None:
        """Let a channel get no more of a group; the last one of the process ends the subscription."""
        await self._ear.leave(channel, [_topic(group)])
