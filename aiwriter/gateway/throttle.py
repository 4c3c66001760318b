"""How many calls a key at a provider may make: a minute, and at once. All workers share the count, in Valkey.

A token bucket holds the calls of a minute and fills steadily (as the generic cell rate algorithm, ITU-T I.371: it
keeps one number, the moment at which the bucket would be full). A provider that says when to come back is left alone by
everybody until then. Calls under way are leases that expire, so a killed worker gives its place back. Without
Valkey every call may be made; the providers have limits of their own.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from django.conf import settings

from aiwriter.gateway.client import ProviderConfig
from aiwriter.gateway.errors import GatewayError
from pulsequill.core.valkey import AWAY, counters_client

MINUTE_MS = 60_000
#: When to look again for a free place.
LOOK_EVERY_MS = 100
#: No provider decides that we stay away for longer.
LONGEST_REST_S = 600.0
#: Answers that ask for fewer calls, and how long the key rests when they do not say until when, in seconds.
SLOW_DOWN = {"provider_rate_limited": 1.0, "provider_overloaded": 0.0}

#: KEYS: rest, calls under way, the moment the bucket is full. ARGV: most at once, a call's share of a minute in ms, the
#: caller, how long its lease lasts in ms. Returns ms to wait; 0: go.
_TAKE = f"""
local rest = redis.call('PTTL', KEYS[1])
if rest > 0 then return rest end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local most, share = tonumber(ARGV[1]), tonumber(ARGV[2])
if most > 0 then
    redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
    if redis.call('ZCARD', KEYS[2]) >= most then return {LOOK_EVERY_MS} end
end
if share > 0 then
    local full = math.max(tonumber(redis.call('GET', KEYS[3]) or '0'), now) + share
    if full - now > {MINUTE_MS} then return math.ceil(full - now - {MINUTE_MS}) end
    redis.call('SET', KEYS[3], string.format('%.3f', full), 'PX', math.ceil(full - now))
end
if most > 0 then
    redis.call('ZADD', KEYS[2], now + ARGV[4], ARGV[3])
    redis.call('PEXPIRE', KEYS[2], {10 * MINUTE_MS})
end
return 0
"""


@dataclass(frozen=True, slots=True)
class Throttle:
    """The limits of one key; a rest is that of one model, because providers count by model."""

    key_name: str
    model: str
    requests_per_minute: int
    most_at_once: int

    @classmethod
    def of(cls, *, provider: str, model: str, config: ProviderConfig) -> Throttle:
        """Return the limits of a configuration, as the operator has set them."""
        return cls(
            key_name=f"ai:calls:{provider}:{config.identity}",
            model=model,
            requests_per_minute=settings.AI_REQUESTS_PER_MINUTE,
            most_at_once=settings.AI_CALLS_AT_ONCE,
        )

    @contextmanager
    def turn(self, *, longest_s: float, lasts_s: float, pause: Callable[[float], None]) -> Iterator[None]:
        """Wait until a call may be made, hold its place while it runs, and rest when it is told to slow down.

        Args:
            longest_s: how long to wait.
            lasts_s: after this the call is surely over.
            pause: sleeps, and raises to stop waiting.

        Raises:
            GatewayError: `provider_busy`, it would take longer.
        """
        caller, waited = uuid.uuid4().hex, 0.0
        while wait_s := self._take(caller, lasts_s):
            if waited + wait_s > longest_s:
                raise GatewayError("provider_busy")
            pause(wait_s)
            waited += wait_s
        try:
            yield
        except GatewayError as error:
            if error.code in SLOW_DOWN:
                self._rest(SLOW_DOWN[error.code] if error.retry_after_s is None else error.retry_after_s)
            raise
        finally:
            self._give_back(caller)

    def _take(self, caller: str, lasts_s: float) -> float:
        share = MINUTE_MS / self.requests_per_minute if self.requests_per_minute else 0
        arguments = (str(self.most_at_once), f"{share:.3f}", caller, str(round(lasts_s * 1000)))
        try:
            waiting = counters_client().eval(  # type: ignore[no-untyped-call]
                _TAKE, 3, self._rest_name, f"{self.key_name}:now", f"{self.key_name}:full", *arguments
            )
        except AWAY:
            return 0.0
        return int(waiting) / 1000

    def _give_back(self, caller: str) -> None:
        with suppress(*AWAY):
            counters_client().zrem(f"{self.key_name}:now", caller)

    def _rest(self, seconds: float) -> None:
        rest_ms = round(min(seconds, LONGEST_REST_S) * 1000)
        if rest_ms:
            with suppress(*AWAY):
                counters_client().set(self._rest_name, 1, px=rest_ms)

    @property
    def _rest_name(self) -> str:
        return f"{self.key_name}:rest:{self.model}"
