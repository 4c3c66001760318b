"""Which kind of generation is which small task, and doing one."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, create_model, model_validator

from aiwriter.agents.contract import BriefData, VoiceData
from aiwriter.agents.offline.rewriting import NeedsModel
from aiwriter.agents.small import alt_text, cta, insight, part, segment, wording
from aiwriter.agents.small import brief as proposing
from aiwriter.agents.small import voice as brand_voice
from aiwriter.agents.small.growing import complete_growing
from aiwriter.agents.small.task import Asked, SmallTask
from aiwriter.gateway.errors import GatewayError
from aiwriter.gateway.gateway import LLMGateway
from aiwriter.gateway.router import OFFLINE, TEMPLATE_MODEL, Route
from aiwriter.gateway.types import LLMRequest
from aiwriter.models import Generation, GenerationStep
from aiwriter.prompts.messages import build_messages
from aiwriter.prompts.registry import get_prompt

TASKS: dict[str, SmallTask] = {
    Generation.Kind.REWRITE: wording.REWRITE,
    Generation.Kind.SUBJECT_LINES: wording.SUBJECT_LINES,
    Generation.Kind.CTA: cta.CTA,
    Generation.Kind.ALT_TEXT: alt_text.ALT_TEXT,
    Generation.Kind.PART: part.PART,
    Generation.Kind.BRIEF: proposing.BRIEF,
    Generation.Kind.VOICE: brand_voice.VOICE,
    Generation.Kind.SEGMENT: segment.SEGMENT,
    Generation.Kind.INSIGHT: insight.INSIGHT,
}


def run_small_task(
    generation: Generation, *, brief: BriefData, voice: VoiceData, gateway: LLMGateway, route: Route
) -> dict[str, Any]:
    """Return the result of a small task, with the `provider` and `model` that did it.

    Raises:
        GatewayError: no usable answer; `ai_not_configured` for work that only a model can do.
    """
    task, asked = TASKS[generation.kind], Asked(generation, brief, voice)
    if route.provider == OFFLINE:
        return {**_by_rules(task, asked), "model": TEMPLATE_MODEL, "provider": OFFLINE}
    prompt = get_prompt(task.prompt)
    request = LLMRequest(
        role="writer",
        task=task.prompt,
        messages=build_messages(task.prompt, task.data(asked)),
        schema=_shape(task, asked),
        max_output_tokens=task.max_output_tokens,
        complexity="low" if task.is_short else brief.complexity or "medium",  # type: ignore[arg-type]
        needs_brand_alignment=bool(voice.profile),
        prompt_id=prompt.id,
        prompt_sha256=prompt.sha256,
        model=str(generation.request.get("model", "")),
        is_cacheable=task.is_cacheable and generation.request.get("instruction") != "another_try",
    )
    answer = complete_growing(gateway, request, generation) if task.is_shown else gateway.complete(request)
    return {**task.result(asked, answer.parsed), "model": answer.model, "provider": answer.provider}


def keep_result(generation: Generation, *, brief: BriefData, voice: VoiceData, result: dict[str, Any]) -> None:
    """Put the result of a small task where it belongs besides its generation, such as into a draft.

    Raises:
        GatewayError: it does not fit there any more.
    """
    if keep := TASKS[generation.kind].keep:
        keep(Asked(generation, brief, voice), result)


def _shape(task: SmallTask, asked: Asked) -> type[BaseModel]:
    """Return the shape of the answer; what the task's check refuses is a wrong shape, which the gateway has mended."""
    check = task.check
    if check is None:
        return task.answer

    def checked(answer: BaseModel) -> BaseModel:
        check(asked, answer)
        return answer

    validators: Any = {"checked": model_validator(mode="after")(checked)}
    return create_model(task.answer.__name__, __base__=task.answer, __validators__=validators)


def _by_rules(task: SmallTask, asked: Asked) -> dict[str, Any]:
    generation = asked.generation
    try:
        if task.by_rules is None:
            raise NeedsModel
        result = task.by_rules(asked)
    except NeedsModel as error:
        detail = "This needs an AI model, and no provider key is set. Nothing was changed."
        raise GatewayError("ai_not_configured", detail=detail) from error
    GenerationStep.objects.create(
        workspace_id=generation.workspace_id,
        generation=generation,
        role="writer",
        task=task.prompt,
        provider=OFFLINE,
        model_requested=TEMPLATE_MODEL,
        model_served=TEMPLATE_MODEL,
        usage_source="none",
        finish_reason="stop",
    )
    return result
