"""`/ws/generations/<id>?after=<n>`: a generation while it is being written, from where the page was."""

from __future__ import annotations

import asyncio
import contextlib
from typing import ClassVar
from uuid import UUID

import structlog
from channels.db import database_sync_to_async
from django.urls import path
from redis.exceptions import RedisError

from accounts.sockets import WorkspaceSocket
from aiwriter.agents.ending import final_frames
from aiwriter.models import Generation
from aiwriter.selectors import get_generation
from aiwriter.streams import FrameReader
from pulsequill.core.cancellation import is_cancelled

logger = structlog.get_logger(__name__)

#: How long one read waits; between two reads the database is asked whether the end was missed.
WAIT_MS = 5000
RETRY_S = 1.0


class GenerationSocket(WorkspaceSocket):
    """Sends the frames of one generation after number `after`, then new ones, and closes after the last."""

    permission: ClassVar[str] = "draft.view"

    generation: Generation
    _reading: asyncio.Task[None] | None = None

    async def authorise(self) -> list[str]:
        """Find the generation in the caller's workspace; its frames come from a stream, so there is no group."""
        generation_id: UUID = self.scope["url_route"]["kwargs"]["generation_id"]
        self.generation = await database_sync_to_async(get_generation)(self.workspace, generation_id)
        return []

    async def opened(self) -> None:
        """Start reading behind the number that the client has."""
        after = self.handshake.first("after").partition("-")[0]
        number = int(after) if after.isascii() and after.isdigit() and len(after) < 12 else 0
        self._reading = asyncio.create_task(self._forward(number))

    async def catch_up(self) -> None:
        """Nothing is lost: the reader of the stream goes on where it was."""

    async def disconnect(self, code: int) -> None:
        """Stop reading."""
        if self._reading is not None:
            self._reading.cancel()
        await super().disconnect(code)

    async def _forward(self, after: int) -> None:
        reader = FrameReader(self.workspace.pk, self.generation.pk, after=after)
        try:
            while not await self._forward_once(reader):
                if is_cancelled():
                    return
            await self.close(1000)
        except Exception:
            # Nobody awaits this task: without a word the page would wait for ever.
            logger.exception("generation_socket_failed", generation_id=str(self.generation.pk))
            await self.close(1011)
        finally:
            with contextlib.suppress(RedisError, OSError):
                await reader.close()

    async def _forward_once(self, reader: FrameReader) -> bool:
        """Send what is there; returns whether it was the end."""
        stored = await database_sync_to_async(get_generation)(self.workspace, self.generation.pk)
        try:
            frames = await reader.read(wait_ms=1 if stored.is_finished else WAIT_MS)
        except (RedisError, OSError):
            logger.warning("generation_stream_unreadable", generation_id=str(self.generation.pk))
            frames = []
            await asyncio.sleep(RETRY_S)
        for frame in frames:
            await self.send_frame(frame)
            if frame["type"] == "done":
                return True
        if stored.is_finished and not frames:
            # The stream has expired or was flushed: what is stored says it all.
            for frame in await database_sync_to_async(final_frames)(stored):
                await self.send_frame(frame)
            return True
        return False


websocket_urlpatterns = [path("ws/generations/<uuid:generation_id>", GenerationSocket.as_asgi())]
