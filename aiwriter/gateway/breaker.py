"""A circuit breaker for each provider, model and key, shared by all workers.

Five failures within a minute open it for half a minute; then one call may try, and its result closes or opens it again
(Nygard, *Release It!*, "Circuit Breaker"). A key that is refused opens it for longer: only a new key, which has a
breaker of its own, helps at once. Without Valkey every call is allowed: the breaker spares time, nothing depends on it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from aiwriter.gateway.client import ProviderConfig
from aiwriter.gateway.errors import GatewayError
from pulsequill.core.valkey import AWAY, counters_client

logger = structlog.get_logger(__name__)

FAILURES_TO_OPEN = 5
WINDOW_S = 60
OPEN_S = 30
#: How long a refused key is left alone.
REFUSED_S = 600
#: How long an opened breaker lets only one call at a time try, unless one succeeds.
TRIAL_S = 300
#: How long the one that tries may take before another may: longer than a call's deadline.
PROBE_S = 90
#: Faults that say that the provider is unwell, not that the question was bad.
FAILURES = frozenset(
    {
        "provider_error",
        "provider_overloaded",
        "provider_timeout",
        "provider_unreachable",
        "provider_bad_answer",
        "provider_incomplete",
        "deadline_exceeded",
    }
)
REFUSALS = frozenset({"provider_auth", "provider_quota"})
#: Faults of an answer that a healthy provider gave.
ANSWERED = frozenset({"answer_truncated", "answer_refused"})
#: Gives the right to try back, if it is still this caller's.
_GIVE_BACK = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


@dataclass(frozen=True, slots=True)
class Breaker:
    """The breaker of one provider, model and key."""

    name: str

    @classmethod
    def of(cls, *, provider: str, model: str, config: ProviderConfig) -> Breaker:
        """Return the breaker of a configuration; another key or address has another one."""
        return cls(f"ai:breaker:{provider}:{model}:{config.identity}")

    @contextmanager
    def guarding(self) -> Iterator[None]:
        """Let a call be made inside the block, and learn from how it ends.

        Whatever ends the block before the provider was asked, or because somebody stopped it, says nothing about the
        provider: the right to try goes to the next caller.

        Raises:
            GatewayError: `provider_paused`, the call may not be made.
        """
        caller = uuid.uuid4().hex
        if not self.allows_call(caller):
            raise GatewayError("provider_paused")
        try:
            yield
        except GatewayError as error:
            if error.code in ANSWERED:
                self.note_success()
            else:
                self.note_failure(error.code)
            raise
        else:
            self.note_success()
        finally:
            self._give_back(caller)

    def allows_call(self, caller: str) -> bool:
        """Return whether a call may be made; on trial, only one caller at a time hears yes."""
        try:
            client = counters_client()
            is_open, is_on_trial = client.mget(self._open, self._trial)
            if is_open:
                return False
            return not is_on_trial or bool(client.set(self._probe, caller, nx=True, ex=PROBE_S))
        except AWAY:
            return True

    def _give_back(self, caller: str) -> None:
        try:
            counters_client().eval(_GIVE_BACK, 1, self._probe, caller)  # type: ignore[no-untyped-call]
        except AWAY:
            return

    def note_success(self) -> None:
        """Close the breaker."""
        try:
            counters_client().delete(self._open, self._trial, self._probe, self._failures)
        except AWAY:
            return

    def note_failure(self, code: str) -> None:
        """Count a failed call; `code` is one of `errors.FAULTS`, and most of them are not the provider's fault."""
        if code not in FAILURES | REFUSALS:
            return
        try:
            client = counters_client()
            if code in REFUSALS:
                client.set(self._open, code, ex=REFUSED_S)
                logger.warning("ai_breaker_opened", breaker=self.name, code=code)
                return
            with client.pipeline() as both:
                failures, _ = both.incr(self._failures).expire(self._failures, WINDOW_S, nx=True).execute()
            if failures >= FAILURES_TO_OPEN or client.exists(self._trial):
                client.set(self._open, code, ex=OPEN_S)
                client.set(self._trial, 1, ex=TRIAL_S)
                client.delete(self._failures, self._probe)
                logger.warning("ai_breaker_opened", breaker=self.name, code=code)
        except AWAY:
            return

    @property
    def _open(self) -> str:
        return f"{self.name}:open"

    @property
    def _trial(self) -> str:
        return f"{self.name}:trial"

    @property
    def _probe(self) -> str:
        return f"{self.name}:probe"

    @property
    def _failures(self) -> str:
        return f"{self.name}:failures"
