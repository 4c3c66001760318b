"""Making one call: fitted to the model, in turn, paid for in advance, stopped on request, audited however it ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

import structlog

from aiwriter.gateway import budget, client
from aiwriter.gateway.breaker import Breaker
from aiwriter.gateway.call import Call
from aiwriter.gateway.catalog import Catalog, ModelEntry
from aiwriter.gateway.client import ProviderConfig
from aiwriter.gateway.errors import GatewayError, translate
from aiwriter.gateway.fitting import fit
from aiwriter.gateway.line import Line
from aiwriter.gateway.pricing import cost_micro_usd
from aiwriter.gateway.router import ANTHROPIC, Route
from aiwriter.gateway.throttle import Throttle
from aiwriter.gateway.types import Delta, LLMRequest, Message, Usage
from aiwriter.models import GenerationStep

logger = structlog.get_logger(__name__)

CHECK_EVERY_S = 0.3
#: A call's lease on its place outlives its deadline by this much.
GRACE_S = 10.0
COMPLETE = frozenset({"stop", "end_turn", "stop_sequence"})
TRUNCATED = frozenset({"length", "max_tokens"})
REFUSED = frozenset({"content_filter", "refusal"})
#: Ends of ours: the provider may go on, and charges for what it has read.
LEFT_OPEN = frozenset({"cancelled", "deadline_exceeded", "interrupted", "provider_timeout"})
#: No text has more characters to a token. Some servers do not keep to the limit that they are given.
MOST_CHARACTERS_A_TOKEN = 8


class Caller:
    """Calls providers on behalf of one generation. May be used by several threads at once."""

    def __init__(
        self,
        *,
        workspace_id: Any,
        generation_id: Any,
        catalog: Catalog,
        providers: Mapping[str, ProviderConfig],
        checkpoint: Callable[[], None],
        sleep: Callable[[float], None],
    ) -> None:
        """
        Args:
            checkpoint: called a few times a second; raises `GatewayError("cancelled")` to stop.
            sleep: takes seconds.
        """
        self._workspace_id = workspace_id
        self._generation_id = generation_id
        self._catalog = catalog
        self._providers = providers
        self._checkpoint = checkpoint
        self._sleep = sleep

    def pause(self, seconds: float) -> None:
        """Wait, and stop waiting when the work shall stop."""
        while seconds > 0:
            self._checkpoint()
            self._sleep(min(seconds, CHECK_EVERY_S))
            seconds -= CHECK_EVERY_S

    def cost(self, entry: ModelEntry, usage: Usage) -> int:
        """Return what this usage of a model costs, in micro-USD."""
        return cost_micro_usd(self._catalog.get(entry.model, input_tokens=usage.input_tokens), usage)

    def call(
        self,
        request: LLMRequest,
        chosen: Route,
        *,
        attempt: int,
        max_output_tokens: int,
        longest_wait_s: float,
        added: Sequence[Message] = (),
        fallback_from: str = "",
    ) -> Generator[Delta, None, Call]:
        """Make one call and yield its text as it grows. Returns it when the provider said that it is complete.

        Args:
            attempt: the how manieth for this question.
            longest_wait_s: how long it may wait for its turn.
            added: turns after those of the request.
            fallback_from: the model that failed before.

        Raises:
            GatewayError: the call was not made, or gave no complete answer.
        """
        entry = chosen.entry
        if entry is None:
            raise GatewayError("ai_not_configured")
        self._checkpoint()
        config = self._providers[chosen.provider]
        fitted = fit(
            request.messages,
            entry=entry,
            output_tokens=client.output_limit(entry, max_output_tokens),
            schema_text=client.schema_text(request.schema),
            added=added,
        )
        call = Call(
            request=request, route=chosen, entry=entry, messages=fitted.messages, input_tokens=fitted.input_tokens,
            left_out=fitted.left_out, max_output_tokens=max_output_tokens, attempt=attempt, fallback_from=fallback_from,
        )  # fmt: skip
        breaker = Breaker.of(provider=chosen.provider, model=chosen.model, config=config)
        throttle = Throttle.of(provider=chosen.provider, model=chosen.model, config=config)
        lasts_s = request.deadline_s + GRACE_S
        with breaker.guarding(), throttle.turn(longest_s=longest_wait_s, lasts_s=lasts_s, pause=self.pause):
            yield from self._paid(call, config)
        return call

    def _paid(self, call: Call, config: ProviderConfig) -> Iterator[Delta]:
        """Set the most that a call can cost aside, make it, and settle: whatever happens, a row tells of it."""
        step = GenerationStep(workspace_id=self._workspace_id, generation_id=self._generation_id)
        self._write(step, call, None)
        budget.reserve(step=step, amount_micro_usd=self._most_it_can_cost(call))
        error: GatewayError | None = GatewayError("interrupted")
        line = Line()
        try:
            yield from self._received(call, config, line)
            error = None
        except GatewayError as caught:
            error = caught
            raise
        except GeneratorExit:
            error = GatewayError("cancelled")
            raise
        except Exception as caught:
            error = translate(caught)
            logger.warning("ai_call_failed", code=error.code, model=call.route.model, exception=type(caught).__name__)
            raise error from caught
        finally:
            call.is_left_open = line.is_connected and error is not None and error.code in LEFT_OPEN
            self._write(step, call, error)
            budget.settle(step)

    def _most_it_can_cost(self, call: Call) -> int:
        tokens_in = call.input_tokens
        return self.cost(
            call.entry,
            Usage(
                input_tokens=tokens_in,
                output_tokens=client.output_limit(call.entry, call.max_output_tokens),
                stored_tokens=tokens_in if call.entry.provider == ANTHROPIC else 0,
            ),
        )

    def _write(self, step: GenerationStep, call: Call, error: GatewayError | None) -> None:
        price = self._catalog.get(call.entry.model, input_tokens=call.final_usage.input_tokens)
        for name, value in call.audit_fields(price, error).items():
            setattr(step, name, value)

    def _received(self, call: Call, config: ProviderConfig, line: Line) -> Iterator[Delta]:
        """Read the answer until it is complete, too late, too long, or not wanted any more."""
        request = call.request
        model = client.build_model(
            entry=call.entry,
            config=config,
            schema=request.schema,
            max_output_tokens=call.max_output_tokens,
            temperature=request.temperature,
            read_timeout_s=request.deadline_s,
            line=line,
        )
        most_characters = client.output_limit(call.entry, call.max_output_tokens) * MOST_CHARACTERS_A_TOKEN
        call.started_at = checked_at = time.monotonic()
        deadline = call.started_at + request.deadline_s
        chunks = client.stream_chunks(model, call.messages, line, entry=call.entry, schema=request.schema)
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
                if len(call.text) > most_characters:
                    raise GatewayError("answer_truncated")
                if chunk.text:
                    yield Delta(call.text)
        _check_end(call)


def _check_end(call: Call) -> None:
    """Raise unless the provider said that its answer is complete.

    Both SDKs end a cut-off stream without an error: only the reason tells that the text is whole.
    """
    if call.finish_reason in TRUNCATED:
        raise GatewayError("answer_truncated")
    if call.finish_reason in REFUSED:
        raise GatewayError("answer_refused")
    if not call.text.strip():
        raise GatewayError("provider_bad_answer")
    if call.finish_reason not in COMPLETE:
        raise GatewayError("provider_incomplete")
