"""Answers that are there already: those of a run that died after it had paid, and those of the same question today."""

from __future__ import annotations

from typing import Any

from aiwriter.gateway.answer_cache import CachedAnswer
from aiwriter.gateway.router import Route
from aiwriter.gateway.shape import WrongShape, parse
from aiwriter.gateway.types import LLMRequest, LLMResult, Usage
from aiwriter.models import GenerationStep


def answered_before(request: LLMRequest, *, workspace_id: Any, generation_id: Any) -> LLMResult | None:
    """Return the stored answer of a run that died after it: a call is paid for once."""
    steps = GenerationStep.objects.for_workspace(workspace_id).filter(
        generation_id=generation_id, request_sha256=request.sha256(), error_class=""
    )
    step = steps.exclude(output_text="").order_by("created_at").last()
    if step is None:
        return None
    try:
        parsed = parse(step.output_text, request.schema)
    except WrongShape:
        return None
    return LLMResult(
        text=step.output_text,
        parsed=parsed,
        provider=step.provider,
        model=step.model_served or step.model_requested,
        usage=Usage(step.input_tokens, step.output_tokens, step.cached_tokens),
        cost_micro_usd=0,
        finish_reason=step.finish_reason,
        fallback_from=step.fallback_from,
        is_reused=True,
    )


def from_cache(
    request: LLMRequest, chosen: Route, cached: CachedAnswer, *, workspace_id: Any, generation_id: Any
) -> LLMResult | None:
    """Return a cached answer, with an audit row that says so; None when its shape has changed since."""
    try:
        parsed = parse(cached.text, request.schema)
    except WrongShape:
        return None
    GenerationStep.objects.create(
        workspace_id=workspace_id,
        generation_id=generation_id,
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
