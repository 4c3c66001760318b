"""One call to a provider: what is known while it runs, and the audit row that it leaves."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from aiwriter.gateway.catalog import ModelEntry
from aiwriter.gateway.errors import GatewayError
from aiwriter.gateway.pricing import cost_micro_usd
from aiwriter.gateway.router import Route
from aiwriter.gateway.tokens import estimate_messages, estimate_text
from aiwriter.gateway.types import Chunk, LLMRequest, Message, Usage
from aiwriter.models import GenerationStep


@dataclass
class Call:
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

    def audit_row(self, price: ModelEntry, error: GatewayError | None) -> GenerationStep:
        """Return the row of this call, without its workspace and generation.

        Args:
            price: the catalogue's row for a prompt of this length.
            error: how the call failed, if it did.
        """
        usage = self.final_usage
        request = self.request
        return GenerationStep(
            role=request.role,
            task=request.task,
            provider=self.route.provider,
            model_requested=self.route.model,
            model_served=self.model_served[:80],
            fallback_from=self.fallback_from,
            prompt_id=request.prompt_id,
            prompt_sha256=request.prompt_sha256,
            params={
                "max_output_tokens": self.max_output_tokens,
                "temperature": request.temperature if self.entry.accepts_temperature else None,
                "schema": request.schema.__name__ if request.schema else None,
                "route_reason": self.route.reason,
            },
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cached_tokens=usage.cached_tokens,
            usage_source=usage.source,
            cost_micro_usd=cost_micro_usd(price, usage),
            price_id=price.price_id,
            latency_ms=self.elapsed_ms,
            first_token_ms=self.first_token_ms,
            finish_reason=self.finish_reason[:40],
            attempt=self.attempt,
            error_class=error.code if error else "",
            provider_request_id=self.request_id[:120],
            request_sha256=replace(request, messages=self.messages).sha256(),
            output_text=self.text,
        )
