"""Writing one part of a draft anew: its subject, its preview text or one block. The part before it is kept."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from aiwriter.agents.answers import to_blocks
from aiwriter.agents.given import brief_for_model
from aiwriter.agents.offline.rewriting import NeedsModel, subject_lines_by_rules
from aiwriter.agents.parts import PREVIEW_TEXT, SUBJECT, part_of, put_part
from aiwriter.agents.small.task import Asked, SmallTask
from aiwriter.gateway.errors import GatewayError
from aiwriter.models import Draft

#: How many lines the rules look through for one that is not taken.
RULE_LINES = 20


class PartAnswer(BaseModel):
    """One part; fields that it does not need are empty."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=6000)
    title: str = Field(max_length=300)
    url: str = Field(max_length=2000)


def _draft(asked: Asked) -> Draft:
    rows = Draft.objects.for_workspace(asked.generation.workspace_id)
    return rows.select_related("generation__brief__brand_voice", "generation__workspace").get(pk=asked.request["draft"])


def _others(draft: Draft) -> list[Draft]:
    return [other for other in draft.generation.drafts.all() if other.pk != draft.pk]


def _bare(block: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in block.items() if name not in ("id", "align", "level")}


def _data(asked: Asked) -> dict[str, Any]:
    draft, part = _draft(asked), asked.request["part"]
    current = part_of(draft, part)
    blocks = [{"type": "the part to write"} if block.get("id") == part else _bare(block) for block in draft.blocks]
    return {
        **brief_for_model(asked.brief, asked.voice),
        "part": part if isinstance(current, str) else "block",
        "current": _bare(current) if isinstance(current, dict) else current,
        "angle": draft.angle,
        "draft": {"subject": draft.subject, "preview_text": draft.preview_text, "blocks": blocks},
        "others": [other.subject for other in _others(draft)],
        "wish": asked.request.get("wish", ""),
    }


def _result(asked: Asked, answer: PartAnswer) -> dict[str, Any]:
    draft, part = _draft(asked), asked.request["part"]
    current = part_of(draft, part)
    after: Any = " ".join(answer.text.split())
    if isinstance(current, dict):
        written = {"type": current["type"], **answer.model_dump()}
        made = next(iter(to_blocks([written], draft.position)), current)
        after = {**current, **made, "id": part, **({"level": current["level"]} if "level" in current else {})}
    return {"draft": str(draft.pk), "part": part, "after": after}


def _by_rules(asked: Asked) -> dict[str, Any]:
    """The next of the lines that rules make of the brief; a block needs a model."""
    draft, part = _draft(asked), asked.request["part"]
    if part not in (SUBJECT, PREVIEW_TEXT) or asked.request.get("wish"):
        raise NeedsModel
    lines = [line[part] for line in subject_lines_by_rules(asked.brief, RULE_LINES)]
    taken = {text.lower() for each in (draft, *_others(draft)) for text in (each.subject, each.preview_text)}
    current = str(getattr(draft, part))
    behind = lines[lines.index(current) + 1 :] if current in lines else []
    free = next((line for line in (*behind, *lines) if line and line.lower() not in taken), None)
    if free is None:
        raise NeedsModel
    return {"draft": str(draft.pk), "part": part, "after": free}


def _keep(asked: Asked, result: dict[str, Any]) -> None:
    """Put the part into its draft, checked anew; what stood there before is kept in `result["before"]`."""
    rows = Draft.objects.for_workspace(asked.generation.workspace_id).select_for_update(of=("self",))
    draft = rows.select_related("generation__brief__brand_voice", "generation__workspace").get(pk=result["draft"])
    before = part_of(draft, result["part"])
    if before is None or draft.status in (Draft.Status.ACCEPTED, Draft.Status.EDITED):
        raise GatewayError("draft_changed")
    result["before"] = before
    draft.made_from = [*draft.made_from, {"generation": str(asked.generation.pk), "parts": [result["part"]]}]
    put_part(draft, result["part"], result["after"])
    draft.save(update_fields=["subject", "preview_text", "blocks", "guardrails", "voice", "made_from", "updated_at"])


PART = SmallTask(
    prompt="part",
    answer=PartAnswer,
    data=_data,
    result=_result,
    by_rules=_by_rules,
    is_cacheable=False,
    keep=_keep,
)
