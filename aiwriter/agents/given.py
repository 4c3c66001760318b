"""What a model may know of a brief: never a contact's data, only the names of merge tags."""

from __future__ import annotations

from typing import Any

from aiwriter.agents.contract import BriefData, VoiceData
from aiwriter.guardrails.tags import STANDARD_TAGS


def brief_for_model(brief: BriefData, voice: VoiceData) -> dict[str, Any]:
    """Return the data of a brief that go into a prompt; empty parts are left out when the messages are built."""
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
