"""From rows to the plain values that engines take."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from aiwriter.agents.contract import BriefData, VoiceData
from aiwriter.models import Brief, Draft, Generation
from aiwriter.models.draft import readable_text
from aiwriter.selectors import list_true_facts

if TYPE_CHECKING:
    from accounts.models import Workspace

_URL = re.compile(r"https?://[^\s<>\"')\]]+[^\s<>\"')\].,;:!?]")
#: More words than this in a brief make it a complex one.
COMPLEX_WORDS = 250
#: A new draft is compared with this many of the last accepted ones.
MOST_EARLIER = 30


def _website(workspace: Workspace) -> str:
    address = workspace.brand.get("website", "") if isinstance(workspace.brand, dict) else ""
    return address if isinstance(address, str) and _URL.fullmatch(address) else ""


def _complexity(brief: Brief) -> str:
    if brief.complexity:
        return brief.complexity
    words = len(" ".join((brief.goal, brief.audience, brief.offer, *map(str, brief.facts))).split())
    is_complex = words > COMPLEX_WORDS or len(brief.facts) > 12 or len(brief.must_say) > 5
    return "high" if is_complex else "medium"


def brief_data(generation: Generation) -> BriefData:
    """Return the brief of a generation as it was typed."""
    if generation.brief is None:
        return BriefData(goal="", workspace_name=generation.workspace.name, complexity="low")
    return data_of(generation.brief, generation.workspace)


def informed_brief(generation: Generation) -> BriefData:
    """Return the brief of a generation with what its workspace knows: the brand's facts, and mails accepted before."""
    if generation.brief is None:
        return brief_data(generation)
    return replace(informed(brief_data(generation), generation.workspace), earlier=_earlier(generation))


def informed(data: BriefData, workspace: Workspace) -> BriefData:
    """Return a brief with what its workspace's brand may claim today."""
    return replace(data, brand_facts=tuple(fact.text for fact in list_true_facts(workspace)))


def _earlier(generation: Generation) -> tuple[str, ...]:
    accepted = Draft.objects.for_workspace(generation.workspace_id).exclude(generation=generation)
    accepted = accepted.filter(status__in=(Draft.Status.ACCEPTED, Draft.Status.EDITED)).order_by("-decided_at")
    return tuple(
        f"{draft.subject}\n{draft.preview_text}\n{readable_text(draft.blocks)}" for draft in accepted[:MOST_EARLIER]
    )


def data_of(brief: Brief, workspace: Workspace) -> BriefData:
    """Return a brief as plain values. Links inside the sentence count as the brief's own; so does the website."""
    in_text = _URL.findall(brief.goal)
    goal = _URL.sub("", brief.goal).strip(" :–-") if in_text else brief.goal
    website = _website(workspace)
    cta_url = brief.cta_url or next(iter(in_text), "") or website
    return BriefData(
        goal=re.sub(r"\s+(?=[.,;!?])", "", " ".join(goal.split(" "))),
        audience=brief.audience,
        offer=brief.offer,
        facts=tuple(map(str, brief.facts)),
        cta_label=brief.cta_label,
        cta_url=cta_url,
        allowed_links=tuple(filter(None, (*map(str, brief.allowed_links), *in_text, website))),
        allowed_tags=tuple(map(str, brief.allowed_tags)),
        tone=brief.tone,
        length=brief.length,
        language=brief.language,
        must_say=tuple(map(str, brief.must_say)),
        must_not_say=tuple(map(str, brief.must_not_say)),
        complexity=_complexity(brief),
        angles=brief.angles,
        workspace_name=workspace.name,
    )


def voice_data(generation: Generation) -> VoiceData:
    """Return the brand voice that the brief asks for, or an empty one."""
    voice = generation.brief.brand_voice if generation.brief else None
    return VoiceData(name=voice.name, profile=voice.profile) if voice else VoiceData()
