"""The stream of a generation: workers append frames, sockets read on from where a page was.

One Valkey stream per generation. The entry id is the frame's number, so `?after=<n>` means what it says and a resumed
reader misses nothing. Streams are the way to the screen only: drafts, state and cost are in PostgreSQL, and a Valkey
that is away costs the animation, not the work.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import redis
import structlog
from django.conf import settings
from redis import asyncio as redis_async

logger = structlog.get_logger(__name__)

Frame = dict[str, Any]
KEEP_S = 3600
MOST_FRAMES = 4000
#: Number and append in one step: three writers append at once, and ids must grow.
_APPEND = """
local number = redis.call('INCR', KEYS[2])
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], number .. '-0', 'frame', ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('EXPIRE', KEYS[2], ARGV[3])
return number
"""


def stream_key(workspace_id: Any, generation_id: Any) -> str:
    """Return the key of a generation's stream."""
    return f"generation:{workspace_id}:{generation_id}"


@cache
def _valkey() -> redis.Redis[bytes]:
    return redis.Redis.from_url(settings.STREAMS_URL, socket_timeout=5, socket_connect_timeout=2)


class FrameWriter:
    """Appends the frames of one generation. May be used by several threads."""

    def __init__(self, workspace_id: Any, generation_id: Any) -> None:
        self._key = stream_key(workspace_id, generation_id)

    def __call__(self, frame: Frame) -> None:
        """Append a frame; a Valkey that is away loses it, and says so in the log."""
        text = json.dumps(frame, ensure_ascii=False, default=str)
        try:
            _valkey().eval(  # type: ignore[no-untyped-call]
                _APPEND, 2, self._key, f"{self._key}:number", text, str(MOST_FRAMES), str(KEEP_S)
            )
        except (redis.RedisError, OSError):
            logger.warning("generation_frame_lost", key=self._key)


class FrameReader:
    """Reads the frames of one generation in an event loop, waiting for new ones."""

    def __init__(self, workspace_id: Any, generation_id: Any, *, after: int = 0) -> None:
        self._key = stream_key(workspace_id, generation_id)
        self._last = after
        # A blocking read ends when the server says so: redis-py's own timeout would cut it and close the socket.
        self._valkey = redis_async.Redis.from_url(settings.STREAMS_URL, socket_timeout=None, socket_connect_timeout=2)

    async def read(self, *, wait_ms: int) -> list[Frame]:
        """Return the next frames with their numbers in `seq`; empty when none came within `wait_ms`."""
        answer = await self._valkey.xread({self._key: f"{self._last}-0"}, count=200, block=wait_ms)
        frames = []
        for entry_id, fields in answer[0][1] if answer else ():
            self._last = int(entry_id.split(b"-")[0])
            frames.append({"seq": self._last, **json.loads(fields[b"frame"])})
        return frames

    async def close(self) -> None:
        """Give the connection back."""
        await self._valkey.aclose()  # type: ignore[attr-defined]  # newer than the stubs
