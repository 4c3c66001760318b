"""From rows to the plain values that engines take."""

from __future__ import annotations

import re

from aiwriter.agents.contract import BriefData, VoiceData
from aiwriter.models import Brief, Generation

_URL = re.compile(r"https?://[^\s<>\"')\]]+[^\s<>\"')\].,;:!?]")
#: More words than this in a brief make it a complex one.
COMPLEX_WORDS = 250


def _website(generation: Generation) -> str:
    address = generation.workspace.brand.get("website", "") if isinstance(generation.workspace.brand, dict) else ""
    return address if isinstance(address, str) and _URL.fullmatch(address) else ""


def _complexity(brief: Brief) -> str:
    if brief.complexity:
        return brief.complexity
    words = len(" ".join((brief.goal, brief.audience, brief.offer, *map(str, brief.facts))).split())
    is_complex = words > COMPLEX_WORDS or len(brief.facts) > 12 or len(brief.must_say) > 5
    return "high" if is_complex else "medium"


def brief_data(generation: Generation) -> BriefData:
    """Return the brief of a generation. Links inside the sentence count as the brief's own; so does the website."""
    brief = generation.brief
    if brief is None:
        return BriefData(goal="", workspace_name=generation.workspace.name, complexity="low")
    in_text = _URL.findall(brief.goal)
    goal = _URL.sub("", brief.goal).strip(" :–-") if in_text else brief.goal
    website = _website(generation)
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
        workspace_name=generation.workspace.name,
    )


def voice_data(generation: Generation) -> VoiceData:
    """Return the brand voice that the brief asks for, or an empty one."""
    voice = generation.brief.brand_voice if generation.brief else None
    return VoiceData(name=voice.name, profile=voice.profile) if voice else VoiceData()
