"""`LLMGateway`: the one way to a language model.

A question is routed, paid for in advance, asked, checked, audited and settled here; retries, repair, the
other family and the deadline are here and nowhere else. Every call to a provider leaves one `GenerationStep`,
however it ends.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

import structlog
from pydantic import BaseModel, ValidationError

from aiwriter.gateway import answer_cache, budget, client
from aiwriter.gateway.answer_cache import CachedAnswer
from aiwriter.gateway.breaker import Breaker
from aiwriter.gateway.call import Call
from aiwriter.gateway.catalog import Catalog, ModelEntry
from aiwriter.gateway.client import ProviderConfig
from aiwriter.gateway.errors import GatewayError, translate
from aiwriter.gateway.line import Line
from aiwriter.gateway.pricing import cost_micro_usd
from aiwriter.gateway.router import Route, fallback_route, route
from aiwriter.gateway.tokens import estimate_messages
from aiwriter.gateway.types import Delta, LLMRequest, LLMResult, Message, Usage
from aiwriter.models import GenerationStep

logger = structlog.get_logger(__name__)

MAX_CALLS_PER_MODEL = 3
#: Longer than this the other family is quicker than waiting for the one that asked us to wait.
LONGEST_WAIT_S = 5.0
FIRST_BACKOFF_S = 0.5
CHECK_EVERY_S = 0.3
COMPLETE = frozenset({"stop", "end_turn", "stop_sequence"})
TRUNCATED = frozenset({"length", "max_tokens"})
REFUSED = frozenset({"content_filter", "refusal"})


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
        self._workspace_id = workspace_id
        self._generation_id = generation_id
        self._catalog = catalog
        self._providers = providers
        self._checkpoint = checkpoint
        self._wait = wait

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
        if reused := self._answered_before(request):
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
        if not request.is_cacheable:
            yield from self._ask_until_answered(request, current)
            return
        digest = f"{current.model}:{request.sha256()}"
        with answer_cache.single_flight(
            workspace_id=self._workspace_id,
            digest=digest,
            longest_s=request.deadline_s * MAX_CALLS_PER_MODEL * len(self._providers),
            checkpoint=self._checkpoint,
        ) as cached:
            if cached is not None and (result := self._from_cache(request, current, cached)):
                yield Delta(result.text)
                yield result
                return
            for event in self._ask_until_answered(request, current):
                if isinstance(event, LLMResult):
                    answer = CachedAnswer(event.text, event.provider, event.model, event.finish_reason)
                    answer_cache.keep(answer, workspace_id=self._workspace_id, digest=digest)
                yield event

    def _ask_until_answered(self, request: LLMRequest, current: Route) -> Iterator[Delta | LLMResult]:
        """Ask the chosen model, and the other family when it fails."""
        fallback_from = ""
        while True:
            try:
                yield from self._ask(request, current, fallback_from)
                return
            except GatewayError as error:
                following = None
                if error.fault.after != "fail" and not fallback_from:
                    following = fallback_route(
                        current, task=request.task, available=self._providers, catalog=self._catalog
                    )
                if following is None:
                    raise
                logger.warning("ai_fallback", code=error.code, failed=current.model, instead=following.model)
                fallback_from, current = current.model, following

    def _ask(self, request: LLMRequest, chosen: Route, fallback_from: str) -> Iterator[Delta | LLMResult]:
        """Ask one model: again after a passing fault, once more with more room, once more with what was
        wrong."""
        messages: Sequence[Message] = request.messages
        limit = request.max_output_tokens
        for attempt in range(1, MAX_CALLS_PER_MODEL + 1):
            is_last = attempt == MAX_CALLS_PER_MODEL
            try:
                call = yield from self._call(request, chosen, messages, limit, attempt, fallback_from)
                parsed = _parse(call.text, request.schema)
            except GatewayError as error:
                if error.fault.after == "retry" and not is_last and attempt < 2:
                    pause = error.retry_after_s if error.retry_after_s is not None else FIRST_BACKOFF_S
                    if pause <= LONGEST_WAIT_S:
                        self._wait(pause)
                        continue
                if error.code == "answer_truncated" and limit == request.max_output_tokens and not is_last:
                    limit *= 2
                    continue
                raise
            except _WrongShape as wrong:
                if is_last or messages is not request.messages:
                    raise GatewayError("answer_invalid") from wrong
                messages = [
                    *request.messages,
                    Message("assistant", wrong.text or "(empty)"),
                    Message("user", wrong.advice),
                ]
                continue
            usage = call.final_usage
            yield LLMResult(
                text=call.text,
                parsed=parsed,
                provider=chosen.provider,
                model=call.model_served or chosen.model,
                usage=usage,
                cost_micro_usd=self._cost(call.entry, usage),
                finish_reason=call.finish_reason,
                fallback_from=fallback_from,
            )
            return

    def _call(
        self,
        request: LLMRequest,
        chosen: Route,
        messages: Sequence[Message],
        limit: int,
        attempt: int,
        fallback_from: str,
    ) -> Generator[Delta, None, Call]:
        """Make one call and leave its audit row. Returns the call when the provider said that it is
        complete."""
        if chosen.entry is None:
            raise GatewayError("ai_not_configured")
        self._checkpoint()
        breaker = self._breaker(chosen)
        if not breaker.allows_call():
            raise GatewayError("provider_paused")
        call = Call(
            request=request, route=chosen, entry=chosen.entry, messages=messages, max_output_tokens=limit,
            attempt=attempt, fallback_from=fallback_from,
        )  # fmt: skip
        hold = self._reserve(call)
        error: GatewayError | None = None
        try:
            yield from self._receive(call)
        except GatewayError as caught:
            error = caught
        except GeneratorExit:
            error = GatewayError("cancelled")
            raise
        except Exception as caught:  # noqa: BLE001 - SDKs raise anything at all on a malformed answer
            error = translate(caught)
            logger.warning("ai_call_failed", code=error.code, model=chosen.model, exception=type(caught).__name__)
        finally:
            budget.settle(hold, self._step(call, error))
        if error:
            breaker.note_failure(error.code)
            raise error
        breaker.note_success()
        return call

    def _breaker(self, chosen: Route) -> Breaker:
        config = self._providers[chosen.provider]
        return Breaker.of(
            provider=chosen.provider, model=chosen.model, api_key=config.api_key, base_url=config.base_url
        )

    def _receive(self, call: Call) -> Iterator[Delta]:
        request = call.request
        line = Line()
        model = client.build_model(
            entry=call.entry,
            config=self._providers[call.route.provider],
            schema=request.schema,
            max_output_tokens=call.max_output_tokens,
            temperature=request.temperature,
            read_timeout_s=request.deadline_s,
            line=line,
        )
        call.started_at = time.monotonic()
        deadline = call.started_at + request.deadline_s
        chunks = client.stream_chunks(model, call.messages, line)
        checked_at = time.monotonic()
        with closing(chunks):  # type: ignore[type-var]
            for chunk in chunks:
                now = time.monotonic()
                if now > deadline:
                    raise GatewayError("deadline_exceeded")
                if now - checked_at > CHECK_EVERY_S:
                    checked_at = now
                    self._checkpoint()
                if chunk is None:
                    continue
                call.take(chunk)
                if chunk.text:
                    yield Delta(call.text)
        if call.finish_reason in TRUNCATED:
            raise GatewayError("answer_truncated")
        if call.finish_reason in REFUSED:
            raise GatewayError("answer_refused")
        if call.finish_reason not in COMPLETE:
            # Both SDKs end a cut-off stream without an error: only the reason tells that the text is whole.
            raise GatewayError("provider_incomplete")
        if not call.text.strip():
            raise GatewayError("provider_bad_answer")

    def _reserve(self, call: Call) -> Any:
        request, entry = call.request, call.entry
        schema_text = str(client.wire_schema(request.schema)) if request.schema else ""
        tokens_in = estimate_messages(call.messages, entry.provider, schema_text=schema_text)
        tokens_out = client.output_limit(entry, call.max_output_tokens)
        if tokens_in + tokens_out > entry.context_tokens:
            raise GatewayError("context_overflow")
        worst = Usage(input_tokens=tokens_in, output_tokens=tokens_out)
        return budget.reserve(
            workspace_id=self._workspace_id,
            generation_id=self._generation_id,
            amount_micro_usd=self._cost(entry, worst),
        )

    def _cost(self, entry: ModelEntry, usage: Usage) -> int:
        return cost_micro_usd(self._catalog.get(entry.model, input_tokens=usage.input_tokens), usage)

    def _step(self, call: Call, error: GatewayError | None) -> GenerationStep:
        price = self._catalog.get(call.entry.model, input_tokens=call.final_usage.input_tokens)
        step = call.audit_row(price, error)
        step.workspace_id, step.generation_id = self._workspace_id, self._generation_id
        return step

    def _from_cache(self, request: LLMRequest, chosen: Route, cached: CachedAnswer) -> LLMResult | None:
        """Return an answer that was given before, with an audit row that says so; None when its shape has changed."""
        try:
            parsed = _parse(cached.text, request.schema)
        except _WrongShape:
            return None
        GenerationStep.objects.create(
            workspace_id=self._workspace_id,
            generation_id=self._generation_id,
            role=request.role,
            task=request.task,
            provider=cached.provider,
            model_requested=chosen.model,
            model_served=cached.model[:80],
            prompt_id=request.prompt_id,
            prompt_sha256=request.prompt_sha256,
            usage_source="none",
            finish_reason=cached.finish_reason[:40],
            is_cache_hit=True,
            request_sha256=request.sha256(),
            output_text=cached.text,
        )
        return LLMResult(
            text=cached.text,
            parsed=parsed,
            provider=cached.provider,
            model=cached.model,
            usage=Usage(),
            cost_micro_usd=0,
            finish_reason=cached.finish_reason,
            is_reused=True,
        )

    def _answered_before(self, request: LLMRequest) -> LLMResult | None:
        """Return the stored answer of a run that died after it: a call is paid for once."""
        steps = GenerationStep.objects.for_workspace(self._workspace_id).filter(
            generation_id=self._generation_id, request_sha256=request.sha256(), error_class=""
        )
        step = steps.exclude(output_text="").order_by("created_at").last()
        if step is None:
            return None
        try:
            parsed = _parse(step.output_text, request.schema)
        except _WrongShape:
            return None
        usage = Usage(step.input_tokens, step.output_tokens, step.cached_tokens)
        return LLMResult(
            text=step.output_text,
            parsed=parsed,
            provider=step.provider,
            model=step.model_served or step.model_requested,
            usage=usage,
            cost_micro_usd=0,
            finish_reason=step.finish_reason,
            fallback_from=step.fallback_from,
            is_reused=True,
        )


class _WrongShape(Exception):
    def __init__(self, text: str, error: ValidationError) -> None:
        super().__init__("the answer does not have the asked-for shape")
        self.text = text
        problems = "; ".join(
            f"{'.'.join(map(str, e['loc'])) or 'answer'}: {e['msg']}"
            for e in error.errors(include_url=False, include_input=False)[:8]
        )
        self.advice = f"That answer cannot be used: {problems}. Answer again with JSON of the required schema only."


def _parse(text: str, schema: type[BaseModel] | None) -> BaseModel | None:
    if schema is None:
        return None
    try:
        return schema.model_validate_json(text.strip())
    except ValidationError as error:
        raise _WrongShape(text, error) from error
