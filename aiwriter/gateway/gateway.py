"""`LLMGateway`: the one way to a language model.

A question is routed, paid for in advance, asked, checked, audited and settled here; retries, repair, the
other family and the deadline are here and nowhere else. Every call to a provider leaves one `GenerationStep`,
however it ends.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

import structlog
from pydantic import BaseModel, ValidationError

from aiwriter.gateway import budget, client
from aiwriter.gateway.catalog import Catalog, ModelEntry
from aiwriter.gateway.client import ProviderConfig
from aiwriter.gateway.errors import GatewayError, translate
from aiwriter.gateway.pricing import cost_micro_usd
from aiwriter.gateway.router import Route, fallback_route, route
from aiwriter.gateway.tokens import estimate_messages, estimate_text
from aiwriter.gateway.types import Chunk, Delta, LLMRequest, LLMResult, Message, Usage
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


@dataclass
class _Call:
    """What is known about one call while it runs: becomes its audit row."""

    request: LLMRequest
    route: Route
    entry: ModelEntry
    messages: Sequence[Message]
    max_output_tokens: int
    attempt: int
    fallback_from: str
    text: str = ""
    usage: Usage | None = None
    finish_reason: str = ""
    model_served: str = ""
    request_id: str = ""
    started_at: float = field(default_factory=time.monotonic)
    first_token_ms: int | None = None

    def take(self, chunk: Chunk) -> None:
        if chunk.text and self.first_token_ms is None:
            self.first_token_ms = self.elapsed_ms
        self.text += chunk.text
        self.finish_reason = chunk.finish_reason or self.finish_reason
        self.model_served = chunk.model or self.model_served
        self.request_id = chunk.request_id or self.request_id
        if chunk.usage:
            seen = self.usage or Usage()
            self.usage = Usage(
                input_tokens=max(seen.input_tokens, chunk.usage.input_tokens),
                output_tokens=max(seen.output_tokens, chunk.usage.output_tokens),
                cached_tokens=max(seen.cached_tokens, chunk.usage.cached_tokens),
                source="provider",
            )

    @property
    def elapsed_ms(self) -> int:
        return round((time.monotonic() - self.started_at) * 1000)

    @property
    def final_usage(self) -> Usage:
        """The provider's count; ours where it gave none but something was produced; nothing where nothing
        was."""
        if self.usage and self.usage.input_tokens and self.usage.output_tokens:
            return self.usage
        if not self.text and not self.finish_reason:
            return self.usage or Usage()
        counted = self.usage or Usage()
        return Usage(
            input_tokens=counted.input_tokens or estimate_messages(self.messages, self.route.provider),
            output_tokens=counted.output_tokens or estimate_text(self.text, self.route.provider),
            cached_tokens=counted.cached_tokens,
            source="estimated",
        )


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
    ) -> Generator[Delta, None, _Call]:
        """Make one call and leave its audit row. Returns the call when the provider said that it is
        complete."""
        if chosen.entry is None:
            raise GatewayError("ai_not_configured")
        self._checkpoint()
        call = _Call(
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
            raise error
        return call

    def _receive(self, call: _Call) -> Iterator[Delta]:
        request = call.request
        model = client.build_model(
            entry=call.entry,
            config=self._providers[call.route.provider],
            schema=request.schema,
            max_output_tokens=call.max_output_tokens,
            temperature=request.temperature,
            read_timeout_s=request.deadline_s,
        )
        call.started_at = time.monotonic()
        deadline = call.started_at + request.deadline_s
        chunks = client.stream_chunks(model, call.messages)
        checked_at = time.monotonic()
        with closing(chunks):  # type: ignore[type-var]
            for chunk in chunks:
                now = time.monotonic()
                if now > deadline:
                    raise GatewayError("deadline_exceeded")
                if now - checked_at > CHECK_EVERY_S:
                    checked_at = now
                    self._checkpoint()
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

    def _reserve(self, call: _Call) -> Any:
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

    def _step(self, call: _Call, error: GatewayError | None) -> GenerationStep:
        usage = call.final_usage
        request = call.request
        return GenerationStep(
            workspace_id=self._workspace_id,
            generation_id=self._generation_id,
            role=request.role,
            task=request.task,
            provider=call.route.provider,
            model_requested=call.route.model,
            model_served=call.model_served[:80],
            fallback_from=call.fallback_from,
            prompt_id=request.prompt_id,
            prompt_sha256=request.prompt_sha256,
            params={
                "max_output_tokens": call.max_output_tokens,
                "temperature": request.temperature if call.entry.accepts_temperature else None,
                "schema": request.schema.__name__ if request.schema else None,
                "route_reason": call.route.reason,
            },
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cached_tokens=usage.cached_tokens,
            usage_source=usage.source,
            cost_micro_usd=self._cost(call.entry, usage),
            price_id=self._catalog.get(call.entry.model, input_tokens=usage.input_tokens).price_id,
            latency_ms=call.elapsed_ms,
            first_token_ms=call.first_token_ms,
            finish_reason=call.finish_reason[:40],
            attempt=call.attempt,
            error_class=error.code if error else "",
            provider_request_id=call.request_id[:120],
            request_sha256=replace(request, messages=call.messages).sha256(),
            output_text=call.text,
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
