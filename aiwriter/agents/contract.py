"""What every writing engine takes and gives: plain values, so that engines can be exchanged."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from aiwriter.guardrails import Evidence, Finding, Report, Source, check_draft

Block = dict[str, Any]
#: Receives a frame of the generation's stream, without its number.
Emit = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class BriefData:
    """A brief as plain values. `links` are the brief's own; nothing else may be linked."""

    goal: str
    audience: str = ""
    offer: str = ""
    facts: tuple[str, ...] = ()
    cta_label: str = ""
    cta_url: str = ""
    allowed_links: tuple[str, ...] = ()
    allowed_tags: tuple[str, ...] = ()
    tone: str = ""
    length: str = "medium"
    language: str = "en"
    must_say: tuple[str, ...] = ()
    must_not_say: tuple[str, ...] = ()
    complexity: str = ""
    angles: int = 3
    workspace_name: str = ""
    #: What the brand may always claim, and mails that were accepted before.
    brand_facts: tuple[str, ...] = ()
    earlier: tuple[str, ...] = ()

    @property
    def evidence(self) -> tuple[str, ...]:
        """The texts that a draft may draw on."""
        own = (self.goal, self.audience, self.offer, *self.facts, *self.must_say, self.cta_label, self.cta_url)
        return tuple(filter(None, (*own, self.workspace_name)))

    def sha256(self) -> str:
        """Return the digest of the brief alone: what makes template drafts repeatable."""
        own = {name: value for name, value in asdict(self).items() if name not in ("brand_facts", "earlier")}
        return hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class VoiceData:
    """A brand voice as plain values."""

    name: str = ""
    profile: dict[str, Any] = field(default_factory=dict)

    @property
    def banned_phrases(self) -> tuple[str, ...]:
        """Words that this brand never uses."""
        return tuple(map(str, (*self.profile.get("dont_words", ()), *self.profile.get("banned_phrases", ()))))


@dataclass(frozen=True)
class ExemplarData:
    """A text of the same workspace that worked."""

    title: str
    text: str


@dataclass(frozen=True)
class DraftContent:
    """One finished angle."""

    position: int
    angle: str
    subject: str
    preview_text: str
    blocks: list[Block]
    remarks: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class DraftPackage:
    """What an engine hands over, and who wrote it."""

    drafts: tuple[DraftContent, ...]
    provider: str
    model: str


class AgentEngine(Protocol):
    """Writes the drafts of one brief. Raises `GatewayError` when it cannot."""

    name: str

    def run(
        self,
        *,
        brief: BriefData,
        voice: VoiceData,
        exemplars: Sequence[ExemplarData],
        emit: Emit,
        checkpoint: Callable[[], None],
    ) -> DraftPackage:
        """Return the drafts; `emit` shows them growing, `checkpoint` raises when the work must stop."""
        ...


def evidence_of(brief: BriefData, accepted: frozenset[str] = frozenset()) -> Evidence:
    """Return what a mail of this brief may state.

    Args:
        accepted: claims that a person answers for.
    """
    sources = [Source("brief", text) for text in brief.evidence] + [Source("brand", text) for text in brief.brand_facts]
    return Evidence(sources, brief.language, tuple(filter(None, (brief.cta_url, *brief.allowed_links))), accepted)


def check_content(draft: DraftContent, brief: BriefData, voice: VoiceData) -> Report:
    """Return the guardrails' report on a draft of this brief."""
    return check_draft(
        subject=draft.subject,
        preview_text=draft.preview_text,
        blocks=draft.blocks,
        evidence=brief.evidence,
        brand_facts=brief.brand_facts,
        earlier=brief.earlier,
        allowed_tags=brief.allowed_tags,
        allowed_links=brief.allowed_links,
        required_link=brief.cta_url,
        language=brief.language,
        must_say=brief.must_say,
        must_not_say=brief.must_not_say,
        banned_phrases=voice.banned_phrases,
        extra=draft.remarks,
    )


def draft_frame(draft: DraftContent, *, is_final: bool = False, is_ai_generated: bool = True) -> dict[str, Any]:
    """Return the stream frame that shows a draft as it is now."""
    return {
        "type": "draft",
        "position": draft.position,
        "angle": draft.angle,
        "subject": draft.subject,
        "preview_text": draft.preview_text,
        "blocks": draft.blocks,
        "is_final": is_final,
        "is_ai_generated": is_ai_generated,
        "guardrails": None,
        "id": None,
    }
