"""Slowing down whoever guesses passwords: exponential delays per account and per address, counted in Valkey.

An attempt is counted as a failure *before* the password is looked at, in one script, so that a thousand parallel
guesses are a thousand counted ones; a success clears the account's count. Unknown addresses are counted alike, or the
delay itself would say which exist. When Valkey is away nobody is delayed: a lost counter must not lock everybody
out, and bcrypt's quarter of a second remains.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import structlog
from redis.commands.core import Script
from redis.exceptions import RedisError

from pulsequill.core.errors import DomainError
from pulsequill.core.signing import sha256
from pulsequill.core.valkey import counters_client

logger = structlog.get_logger(__name__)

#: 5 free tries, then 2, 4, 8, ... seconds up to 15 minutes: 17 guesses an hour at the most.
FREE_PER_ACCOUNT = 5
#: An office shares one address.
FREE_PER_ADDRESS = 30
LONGEST_DELAY_S = 900
FORGET_AFTER_S = 3600 * 2

_TRY = """
local clock = redis.call('TIME')
local now = tonumber(clock[1])
for i, key in ipairs(KEYS) do
  local open_at = tonumber(redis.call('HGET', key, 'open_at') or 0)
  if open_at > now then return open_at - now end
end
for i, key in ipairs(KEYS) do
  local failures = redis.call('HINCRBY', key, 'failures', 1)
  local over = failures - tonumber(ARGV[i])
  if over >= 0 then
    redis.call('HSET', key, 'open_at', now + math.min(2 ^ math.min(over + 1, 20), tonumber(ARGV[#KEYS + 1])))
  end
  redis.call('EXPIRE', key, ARGV[#KEYS + 2])
end
return 0
"""


class TooManyTries(DomainError):
    """Wait before the next try (429)."""

    status = 429
    code = "throttled"
    title = "Too many requests"

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"Too many tries. Wait {retry_after_s} seconds and try again.")
        self.retry_after_s = retry_after_s


@cache
def _script() -> Script:
    return counters_client().register_script(_TRY)


@dataclass(frozen=True)
class Guard:
    """One kind of secret that can be guessed: `sign-in`, `reset`, `sign-up`."""

    purpose: str

    def _account(self, email: str) -> str:
        return f"guard:{self.purpose}:account:{sha256(email.strip().lower())}"

    def _address(self, address: str) -> str:
        return f"guard:{self.purpose}:address:{address}"

    def count(self, *, email: str, address: str) -> None:
        """Count one try.

        Raises:
            TooManyTries: it must not even be looked at.
        """
        keys = [self._account(email), self._address(address)]
        try:
            wait = int(_script()(keys=keys, args=[FREE_PER_ACCOUNT, FREE_PER_ADDRESS, LONGEST_DELAY_S, FORGET_AFTER_S]))
        except (RedisError, OSError) as error:
            logger.warning("sign_in_guard_skipped", error=str(error))
            return
        if wait:
            raise TooManyTries(wait)

    def forgive(self, *, email: str, address: str) -> None:
        """A try succeeded: the account's count ends, and the address gets its try back."""
        try:
            with counters_client().pipeline(transaction=False) as pipe:
                pipe.delete(self._account(email))
                pipe.hincrby(self._address(address), "failures", -1)
                pipe.execute()
        except (RedisError, OSError):
            logger.warning("sign_in_guard_skipped")
