"""Rewriting a passage and writing subject lines: one call, or the rules where there is no model."""

from __future__ import annotations

from typing import Any, cast

from aiwriter.agents.answers import RewriteAnswer, SubjectLinesAnswer
from aiwriter.agents.contract import BriefData, VoiceData
from aiwriter.agents.offline.rewriting import NeedsModel, rewrite_by_rules, subject_lines_by_rules
from aiwriter.gateway.errors import GatewayError
from aiwriter.gateway.gateway import LLMGateway
from aiwriter.gateway.router import OFFLINE, TEMPLATE_MODEL, Route
from aiwriter.gateway.types import LLMRequest, LLMResult
from aiwriter.guardrails.tags import STANDARD_TAGS
from aiwriter.models import Generation, GenerationStep
from aiwriter.prompts.messages import build_messages
from aiwriter.prompts.registry import get_prompt

MOST_LINES = 10


def brief_for_model(brief: BriefData, voice: VoiceData) -> dict[str, Any]:
    """Return what a model may know of a brief: never a contact's data, only the names of merge tags."""
    return {
        "goal": brief.goal,
        "audience": brief.audience,
        "offer": brief.offer,
        "facts": list(brief.facts),
        "brand_facts": list(brief.brand_facts),
        "call_to_action": brief.cta_label,
        "links": list(dict.fromkeys(filter(None, (brief.cta_url, *brief.allowed_links)))),
        "merge_tags": sorted(STANDARD_TAGS | set(brief.allowed_tags)),
        "tone": brief.tone,
        "length": brief.length,
        "language": brief.language,
        "must_say": list(brief.must_say),
        "must_not_say": [*brief.must_not_say, *voice.banned_phrases],
        "brand": brief.workspace_name,
        "voice": voice.profile,
    }


def run_small_task(
    generation: Generation, *, brief: BriefData, voice: VoiceData, gateway: LLMGateway, route: Route
) -> dict[str, Any]:
    """Return the result of a rewrite or of a request for subject lines, with the `provider` and `model` that did it.

    Raises:
        GatewayError: no usable answer; `ai_not_configured` for an edit that only a model can do.
    """
    if route.provider == OFFLINE:
        return _by_rules(generation, brief)
    if generation.kind == Generation.Kind.REWRITE:
        data = {**brief_for_model(brief, voice), **generation.request}
        answer = _ask(generation, gateway, "rewrite", data, RewriteAnswer, brief, voice)
        return {"text": cast("RewriteAnswer", answer.parsed).text, "model": answer.model, "provider": answer.provider}
    count = int(generation.request.get("count", MOST_LINES))
    data = {**brief_for_model(brief, voice), "count": count}
    answer = _ask(generation, gateway, "subject_lines", data, SubjectLinesAnswer, brief, voice)
    lines = cast("SubjectLinesAnswer", answer.parsed).lines
    return {"lines": [line.model_dump() for line in lines[:count]], "model": answer.model, "provider": answer.provider}


def _ask(
    generation: Generation,
    gateway: LLMGateway,
    task: str,
    data: dict[str, Any],
    schema: type[Any],
    brief: BriefData,
    voice: VoiceData,
) -> LLMResult:
    prompt = get_prompt(task)
    request = LLMRequest(
        role="writer",
        task=task,
        messages=build_messages(task, data),
        schema=schema,
        max_output_tokens=1500,
        complexity="low" if task == "subject_lines" else brief.complexity or "medium",  # type: ignore[arg-type]
        needs_brand_alignment=bool(voice.profile),
        prompt_id=prompt.id,
        prompt_sha256=prompt.sha256,
        model=str(generation.request.get("model", "")),
        is_cacheable=generation.request.get("instruction") != "another_try",
    )
    return gateway.complete(request)


def _by_rules(generation: Generation, brief: BriefData) -> dict[str, Any]:
    try:
        if generation.kind == Generation.Kind.REWRITE:
            text = rewrite_by_rules(str(generation.request["text"]), str(generation.request["instruction"]))
            result: dict[str, Any] = {"text": text}
        else:
            result = {"lines": subject_lines_by_rules(brief, int(generation.request.get("count", MOST_LINES)))}
    except NeedsModel as error:
        detail = "This edit needs an AI model, and no provider key is set. Nothing was changed."
        raise GatewayError("ai_not_configured", detail=detail) from error
    GenerationStep.objects.create(
        workspace_id=generation.workspace_id,
        generation=generation,
        role="writer",
        task=generation.kind,
        provider=OFFLINE,
        model_requested=TEMPLATE_MODEL,
        model_served=TEMPLATE_MODEL,
        usage_source="none",
        finish_reason="stop",
    )
    return {**result, "model": TEMPLATE_MODEL, "provider": OFFLINE}
