"""One call to a provider: what is known while it runs, and the audit row that it leaves."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiwriter.gateway.catalog import ModelEntry
from aiwriter.gateway.errors import GatewayError
from aiwriter.gateway.pricing import cost_micro_usd
from aiwriter.gateway.router import Route
from aiwriter.gateway.tokens import estimate_text
from aiwriter.gateway.types import Chunk, LLMRequest, Message, Usage


@dataclass
class Call:
    """What is known about one call while it runs: becomes its audit row.

    `is_left_open`: the provider has the question and we did not wait for the end, so it may charge for it.
    """

    request: LLMRequest
    route: Route
    entry: ModelEntry
    messages: Sequence[Message]
    input_tokens: int
    left_out: Mapping[str, int]
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
    is_left_open: bool = False

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
                stored_tokens=max(seen.stored_tokens, chunk.usage.stored_tokens),
                source="provider",
            )

    @property
    def elapsed_ms(self) -> int:
        return round((time.monotonic() - self.started_at) * 1000)

    @property
    def final_usage(self) -> Usage:
        """The provider's count; ours where it gave none but had work to do; nothing where it had none."""
        if self.usage and self.usage.input_tokens and self.usage.output_tokens:
            return self.usage
        if not (self.text or self.finish_reason or self.is_left_open):
            return self.usage or Usage()
        counted = self.usage or Usage()
        return Usage(
            input_tokens=counted.input_tokens or self.input_tokens,
            output_tokens=counted.output_tokens or estimate_text(self.text, self.route.provider),
            cached_tokens=counted.cached_tokens,
            stored_tokens=counted.stored_tokens,
            source="estimated",
        )

    def audit_fields(self, price: ModelEntry, error: GatewayError | None) -> dict[str, Any]:
        """Return what the audit row says of this call so far, without its workspace and generation.

        Args:
            price: the catalogue's row for a prompt of this length.
            error: how the call failed, if it did.
        """
        usage = self.final_usage
        request = self.request
        return {
            "role": request.role,
            "task": request.task,
            "provider": self.route.provider,
            "model_requested": self.route.model,
            "model_served": self.model_served[:80],
            "fallback_from": self.fallback_from,
            "prompt_id": request.prompt_id,
            "prompt_sha256": request.prompt_sha256,
            "params": {
                "max_output_tokens": self.max_output_tokens,
                "temperature": request.temperature if self.entry.accepts_temperature else None,
                "schema": request.schema.__name__ if request.schema else None,
                "route_reason": self.route.reason,
                **({"left_out": dict(self.left_out)} if self.left_out else {}),
                **({"price": "assumed: the catalogue does not know this model"} if price.price_id is None else {}),
            },
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
            "cached_tokens": usage.cached_tokens,
            "usage_source": usage.source,
            "cost_micro_usd": cost_micro_usd(price, usage),
            "price_id": price.price_id,
            "latency_ms": self.elapsed_ms,
            "first_token_ms": self.first_token_ms,
            "finish_reason": self.finish_reason[:40],
            "attempt": self.attempt,
            "error_class": error.code if error else "",
            "provider_request_id": self.request_id[:120],
            "request_sha256": request.sha256(),
            "output_text": self.text,
        }
