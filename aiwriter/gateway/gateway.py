"""`LLMGateway`: the one way to a language model.

A question is routed, asked, checked and answered here; retries, repair and the other family are here and nowhere else.
How a single call is paid for, watched and audited is `calling.py`'s.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import structlog

from aiwriter.gateway import answer_cache, reuse
from aiwriter.gateway.answer_cache import CachedAnswer
from aiwriter.gateway.calling import Caller
from aiwriter.gateway.catalog import Catalog
from aiwriter.gateway.client import ProviderConfig
from aiwriter.gateway.errors import GatewayError
from aiwriter.gateway.router import Route, fallback_route, route
from aiwriter.gateway.shape import WrongShape, parse
from aiwriter.gateway.types import Delta, LLMRequest, LLMResult, Message

logger = structlog.get_logger(__name__)

MAX_CALLS_PER_MODEL = 3
#: Longer than this the other family is quicker than waiting for the one that asked us to wait.
LONGEST_WAIT_S = 5.0
FIRST_BACKOFF_S = 0.5


class LLMGateway:
    """Asks models on behalf of one generation. May be used by several threads at once."""

    def __init__(
        self,
        *,
        workspace_id: Any,
        generation_id: Any,
        catalog: Catalog,
        providers: Mapping[str, ProviderConfig],
        checkpoint: Callable[[], None],
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        """
        Args:
            providers: those that have a key.
            checkpoint: called a few times a second; raises `GatewayError("cancelled")` to stop the call.
            wait: sleeps between tries.
        """
        self._whose = {"workspace_id": workspace_id, "generation_id": generation_id}
        self._catalog = catalog
        self._providers = providers
        self._checkpoint = checkpoint
        self._caller = Caller(**self._whose, catalog=catalog, providers=providers, checkpoint=checkpoint, sleep=wait)

    def complete(self, request: LLMRequest) -> LLMResult:
        """Return the whole answer.

        Raises:
            GatewayError: there is no usable answer, and why.
        """
        result = None
        for event in self.stream(request):
            if isinstance(event, LLMResult):
                result = event
        if result is None:
            raise GatewayError("provider_incomplete")
        return result

    def stream(self, request: LLMRequest) -> Iterator[Delta | LLMResult]:
        """Yield the answer as it grows (each `Delta` holds all text so far), then its `LLMResult`.

        A second try starts its text again from nothing.

        Raises:
            GatewayError: there is no usable answer, and why.
        """
        if reused := reuse.answered_before(request, **self._whose):
            yield Delta(reused.text)
            yield reused
            return
        current = route(
            task=request.task,
            complexity=request.complexity,
            needs_brand_alignment=request.needs_brand_alignment,
            available=self._providers,
            catalog=self._catalog,
            model=request.model,
            avoid=request.prefer_other_than,
            is_offline_allowed=False,
        )
        if request.is_cacheable:
            yield from self._ask_unless_cached(request, current)
        else:
            yield from self._ask_until_answered(request, current)

    def _ask_unless_cached(self, request: LLMRequest, current: Route) -> Iterator[Delta | LLMResult]:
        """Give the answer that is in the cache, or that somebody is fetching; else ask and keep the answer."""
        asked = {"workspace_id": self._whose["workspace_id"], "digest": f"{current.model}:{request.sha256()}"}
        flight = answer_cache.single_flight(
            **asked,
            longest_s=request.deadline_s * MAX_CALLS_PER_MODEL * len(self._providers),
            patience_s=request.deadline_s,
            checkpoint=self._checkpoint,
        )
        with flight as cached:
            if cached is not None and (result := reuse.from_cache(request, current, cached, **self._whose)):
                yield Delta(result.text)
                yield result
                return
            for event in self._ask_until_answered(request, current):
                if isinstance(event, LLMResult):
                    answer = CachedAnswer(event.text, event.provider, event.model, event.finish_reason)
                    answer_cache.keep(answer, **asked)
                yield event

    def _ask_until_answered(self, request: LLMRequest, current: Route) -> Iterator[Delta | LLMResult]:
        """Ask the chosen model, and the other family when it fails."""
        following = fallback_route(current, task=request.task, available=self._providers, catalog=self._catalog)
        # With nobody to step in, waiting is better than failing.
        longest_wait_s = request.deadline_s if following is None else min(LONGEST_WAIT_S, request.deadline_s)
        try:
            yield from self._ask(request, current, longest_wait_s)
        except GatewayError as error:
            if error.fault.after == "fail" or following is None:
                raise
            logger.warning("ai_fallback", code=error.code, failed=current.model, instead=following.model)
            yield from self._ask(request, following, request.deadline_s, fallback_from=current.model)

    def _ask(
        self, request: LLMRequest, chosen: Route, longest_wait_s: float, fallback_from: str = ""
    ) -> Iterator[Delta | LLMResult]:
        """Ask one model: again after a passing fault, once more with more room, once more with what was wrong."""
        added: Sequence[Message] = ()
        limit = request.max_output_tokens
        for attempt in range(1, MAX_CALLS_PER_MODEL + 1):
            is_last = attempt == MAX_CALLS_PER_MODEL
            try:
                call = yield from self._caller.call(
                    request,
                    chosen,
                    attempt=attempt,
                    max_output_tokens=limit,
                    longest_wait_s=longest_wait_s,
                    added=added,
                    fallback_from=fallback_from,
                )
                parsed = parse(call.text, request.schema)
            except GatewayError as error:
                if error.fault.after == "retry" and attempt == 1:
                    pause_s = FIRST_BACKOFF_S if error.retry_after_s is None else error.retry_after_s
                    if pause_s <= longest_wait_s:
                        self._caller.pause(pause_s)
                        continue
                if error.code == "answer_truncated" and limit == request.max_output_tokens and not is_last:
                    limit *= 2
                    continue
                raise
            except WrongShape as wrong:
                if is_last or added:
                    raise GatewayError("answer_invalid") from wrong
                added = (Message("assistant", wrong.text or "(empty)"), Message("user", wrong.advice))
                continue
            usage = call.final_usage
            yield LLMResult(
                text=call.text,
                parsed=parsed,
                provider=chosen.provider,
                model=call.model_served or chosen.model,
                usage=usage,
                cost_micro_usd=self._caller.cost(call.entry, usage),
                finish_reason=call.finish_reason,
                fallback_from=fallback_from,
            )
            return
