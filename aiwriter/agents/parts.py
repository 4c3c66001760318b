"""The parts of a draft: subject, preview text and each block by its id. Taking one out, putting another in."""

from __future__ import annotations

from typing import Any

from aiwriter.agents.contract import Block, DraftContent, check_content
from aiwriter.agents.distinctness import with_alike_flagged
from aiwriter.agents.inputs import informed_brief, voice_data
from aiwriter.guardrails import Finding
from aiwriter.models import Draft
from aiwriter.voice.scoring import voice_report

SUBJECT, PREVIEW_TEXT = "subject", "preview_text"
#: Blocks that are words; there is nothing to write anew in the others.
WRITTEN_BLOCKS = frozenset({"heading", "text", "button", "quote"})
#: What the writer itself remarked stays true when a part is exchanged; everything else is checked anew.
_OF_THE_WRITER = frozenset({"language_not_offered"})


def part_of(draft: Draft, part: str) -> str | Block | None:
    """Return a part: a text for `subject` and `preview_text`, else the block of that id; None when there is none."""
    if part in (SUBJECT, PREVIEW_TEXT):
        return str(getattr(draft, part))
    return next((block for block in draft.blocks if block.get("id") == part), None)


def put_part(draft: Draft, part: str, value: Any) -> None:
    """Put a part in place of the one of that name, and check the draft anew; nothing is saved.

    Args:
        value: as `part_of` returns it.
    """
    if part in (SUBJECT, PREVIEW_TEXT):
        setattr(draft, part, str(value)[:300])
    else:
        draft.blocks = [value if block.get("id") == part else block for block in draft.blocks]
    check_again(draft)


def check_again(draft: Draft) -> None:
    """Run the guardrails on a draft as it is now, receipts included, and score its voice; nothing is saved."""
    content = content_of(draft)
    if draft.is_ai_generated and not draft.made_from_drafts:
        written = [other for other in draft.generation.drafts.all() if not other.made_from_drafts]
        contents = [content if other.pk == draft.pk else content_of(other) for other in written]
        flagged = with_alike_flagged(sorted(contents, key=lambda each: each.position))
        content = next((each for each in flagged if each.position == draft.position), content)
    draft.guardrails = dict(check_content(content, informed_brief(draft.generation), voice_data(draft.generation)))
    draft.voice = _sound(draft)


def _sound(draft: Draft) -> dict[str, Any]:
    """Return how a draft sounds by rules alone: nearest examples would ask an embedder inside a transaction."""
    brief = draft.generation.brief
    voice = brief.brand_voice if brief else None
    if brief is None or voice is None:
        return {}
    report = voice_report(draft.blocks, profile=voice.profile, measured=voice.measured, language=brief.language)
    return {**report, "voice": {"id": str(voice.pk), "name": voice.name, "version": voice.version}} if report else {}


def content_of(draft: Draft) -> DraftContent:
    """Return a stored draft as engines hand it over."""
    return DraftContent(
        position=draft.position,
        angle=draft.angle,
        subject=draft.subject,
        preview_text=draft.preview_text,
        blocks=draft.blocks,
        remarks=writer_remarks(draft),
    )


def writer_remarks(*drafts: Draft) -> tuple[Finding, ...]:
    """Return what the writers of these drafts remarked themselves, once each."""
    found: dict[str, Finding] = {}
    for draft in drafts:
        for each in draft.guardrails.get("findings", ()):
            if each["code"] in _OF_THE_WRITER:
                found.setdefault(each["code"], each)
    return tuple(found.values())
