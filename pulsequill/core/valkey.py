"""The clients of Valkey that need commands the cache framework does not have: streams, sets and counters."""

from __future__ import annotations

from functools import cache

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

#: What a command raises when Valkey is away. ValueError, because redis-py reads on from the buffer that it closed when
#: a connection times out while it is being made ("I/O operation on closed file").
AWAY = (RedisError, OSError, ValueError)
#: Short, because whoever waits here has a fallback.
CONNECT_SECONDS = 1.0
ANSWER_SECONDS = 5.0


@cache
def streams_client() -> redis.Redis[bytes]:
    """Return this process' client of the database that holds the event log and the live counters (thread-safe)."""
    return redis.Redis.from_url(
        settings.STREAMS_URL,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        # One try more, at once: the pooled connection may be from before a restart. Whoever waits has a fallback.
        retry=Retry(NoBackoff(), 1),
        health_check_interval=30,
    )


@cache
def counters_client() -> redis.Redis[bytes]:
    """Return this process' client of the cache database: rate limits, sign-in delays and one-use tickets."""
    return redis.Redis.from_url(
        settings.CACHE_URL,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=CONNECT_SECONDS,  # these stand in the way of every request
        retry=Retry(NoBackoff(), 1),
        health_check_interval=30,
    )
