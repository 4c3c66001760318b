"""The agent desk from the stored calls: the same frames as the stream's stages, for pages that come later."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from pydantic import BaseModel, ValidationError

from aiwriter.agents.answers import BrandAnswer, CriticAnswer, StrategyAnswer, WriterAnswer, to_draft
from aiwriter.agents.changes import list_changes
from aiwriter.agents.contract import DraftContent
from aiwriter.agents.roles import ROLES
from aiwriter.gateway.errors import FAULTS
from aiwriter.gateway.router import OFFLINE
from aiwriter.models import Generation, GenerationStep
from aiwriter.models.draft import readable_text
from aiwriter.models.generation_step import INTERRUPTED, UNDER_WAY
from aiwriter.models.model_price import dollars

#: Of a call that did not fail: any other end is a fault.
_STATES = {"": "done", UNDER_WAY: "started"}
#: Ends for which no provider is to blame.
_PLAIN_ENDS = {"cancelled": "Stopped.", INTERRUPTED: "The writer was restarted in the middle of this."}


def desk_frames(generation: Generation) -> list[dict[str, Any]]:
    """Return one `stage` frame for each task, in the order in which they began.

    A call that failed and was made up for is told in `problems` of the one that answered.
    """
    calls = GenerationStep.objects.for_workspace(generation.workspace_id).filter(generation=generation)
    steps = list(calls.order_by("created_at", "pk"))
    first = {_turn(step): index for index, step in reversed(list(enumerate(steps)))}
    together = sorted(steps, key=lambda step: (first[_turn(step)], step.task))
    written: dict[str, DraftContent] = {}
    frames = [_frame(list(group), written) for _, group in groupby(together, key=lambda step: step.task)]
    rows = [row for frame in frames for row in (_of_templates(frame, generation) or [frame])]
    roles = [row["role"] for row in rows]
    if "critic" in roles and "brand_reviewer" not in roles:
        rows.insert(roles.index("critic"), _no_voice())
    return rows


def _no_voice() -> dict[str, Any]:
    """Return the row of the brand reviewer who had nothing to hold the drafts against: no call was made."""
    nothing = {"model": "", "tokens": 0, "cost_micro_usd": 0, "cost_label": dollars(0), "ms": 0}
    told = {"state": "skipped", "summary": "no voice", "problems": [], "changes": []}
    role = "brand_reviewer"
    return {"type": "stage", "role": role, "label": ROLES[role].label, "task": role, **nothing, **told}


def _of_templates(frame: dict[str, Any], generation: Generation) -> list[dict[str, Any]]:
    """Return the rows of the one call that stands for all template drafts; empty for every other call."""
    if frame["task"] != "drafts":
        return []
    drafts = [draft for draft in generation.ordered_drafts if not draft.made_from_drafts]
    return [
        {
            **frame,
            "label": f"Template {draft.letter}",
            "task": f"writer:{draft.letter}",
            "summary": f"{len(readable_text(draft.blocks).split())} words",
        }
        for draft in drafts
    ]


def _turn(step: GenerationStep) -> tuple[str, str]:
    """Return the role and its look: those who speak side by side stand together, by letter."""
    return step.role, re.sub(r"\D", "", step.task)


def _frame(calls: Sequence[GenerationStep], written: dict[str, DraftContent]) -> dict[str, Any]:
    last = calls[-1]
    summary, changes = _told(last, written)
    letter = last.task.partition(":")[2]
    known = ROLES.get(last.role)
    role = known.label if known else last.role.replace("_", " ").capitalize()
    role = "Template" if last.provider == OFFLINE else role
    return {
        "type": "stage",
        "role": last.role,
        "label": f"{role} {letter}".strip(),
        "task": last.task,
        "state": _STATES.get(last.error_class, "failed"),
        "model": last.model_served or last.model_requested,
        "tokens": sum(call.input_tokens + call.output_tokens for call in calls),
        "cost_micro_usd": sum(call.cost_micro_usd for call in calls),
        "cost_label": dollars(sum(call.cost_micro_usd for call in calls)),
        "ms": sum(call.latency_ms for call in calls),
        "summary": summary,
        "problems": list(_problems(calls)),
        "changes": changes,
    }


def _told(call: GenerationStep, written: dict[str, DraftContent]) -> tuple[str, list[Any]]:
    """Return what came of a call in a few words, and what an editor changed; `written` is the drafts so far."""
    if call.provider == OFFLINE:
        return call.output_text[:120], []
    if call.role == "strategist" and isinstance(plan := _read(StrategyAnswer, call), StrategyAnswer):
        return " · ".join(angle.label for angle in plan.angles), []
    if call.role in ("writer", "editor") and isinstance(answer := _read(WriterAnswer, call), WriterAnswer):
        letter = call.task.partition(":")[2][:1]
        draft = to_draft(answer, position=max(0, ord(letter or "A") - ord("A")), angle="")
        before, written[letter] = written.get(letter), draft
        changes = list_changes(before, draft) if before and call.role == "editor" else []
        if changes:
            return f"changed: {', '.join(change['part'] for change in changes)}", list(changes)
        return f"{len(readable_text(draft.blocks).split())} words", []
    for shape, field in ((BrandAnswer, "reviews"), (CriticAnswer, "verdicts")):
        if call.role in ("brand_reviewer", "critic") and (read := _read(shape, call)) is not None:
            found = sum(len(verdict.problems) for verdict in getattr(read, field))
            return f"{found} found" if found else "nothing found", []
    return "", []


def _read(shape: type[BaseModel], call: GenerationStep) -> BaseModel | None:
    if call.error_class:
        return None
    try:
        return shape.model_validate_json(call.output_text)
    except ValidationError:
        return None


def _problems(calls: Sequence[GenerationStep]) -> Iterator[str]:
    for call in calls:
        if call.error_class in _PLAIN_ENDS:
            yield _PLAIN_ENDS[call.error_class]
        elif call.error_class and not call.is_under_way:
            fault = FAULTS.get(call.error_class)
            yield f"{call.model_requested}: {fault.detail if fault else call.error_class}"
        elif call.fallback_from:
            yield f"{call.model_served or call.model_requested} stepped in for {call.fallback_from}."
