"""A fake provider that writes three distinct angles for a coffee brand; one has a claim that nothing supports."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from accounts.models import User, Workspace
from aiwriter.models import Generation
from campaigns.models import Campaign
from campaigns.services import adopting
from tests.aiwriter import team
from tests.aiwriter.team import block
from tests.campaigns.making import make_campaign
from tests.fakes.llm_server import LLMServer, Reply, Request

LINK = "https://northwind.example/harvest"
GREETING = "{{#first_name}}Hi {{first_name}},{{/first_name}}{{^first_name}}Hello,{{/first_name}}"
BRIEF = {
    "goal": "Sell the first orders of the harvest lot, free shipping until Sunday",
    "audience": "Subscribers who bought beans before",
    "offer": "Free shipping until Sunday",
    "facts": ["Farm: Finca La Esperanza, Huila", "1,450 bags, picked in June", "Cup score 87.25"],
    "cta_label": "Reserve a bag",
    "cta_url": LINK,
    "tone": "Warm, plain, a little proud",
    "must_not_say": ["best ever"],
}
ANGLES = ("The wait", "The people", "The cup")
WRITTEN: dict[str, dict[str, Any]] = {
    "The wait": {
        "subject": "The harvest lot we waited a year for",
        "preview_text": "Picked in June, rested, roasted this week.",
        "blocks": [
            block("heading", "It is here, and it was worth the wait"),
            block(
                "text",
                f"{GREETING}\n\nthe beans you have been asking about left Finca La Esperanza after a slow season. They "
                "were picked in June and rested until this week.\n\nWe have 1,450 bags, and shipping is free until "
                "Sunday.",
            ),
            block("button", "Reserve a bag", url=LINK),
        ],
    },
    "The people": {
        "subject": "Meet the family behind your next cup",
        "preview_text": "One hillside, 1,450 bags.",
        "blocks": [
            block("heading", "Luz walks the terraces before sunrise"),
            block(
                "text",
                f"{GREETING}\n\nat Finca La Esperanza in Huila every cherry is picked by hand, row after row. This "
                "year there are 1,450 bags of it. It is the highest score in ten years, and 25% cheaper for you.",
            ),
            block("quote", "We only pick what is ready.", title="Luz, Finca La Esperanza"),
            block("button", "Meet the harvest", url=LINK),
        ],
    },
    "The cup": {
        "subject": "Red apple, panela, and a slow morning",
        "preview_text": "What this lot tastes like, in a few words.",
        "blocks": [
            block("heading", "Start with the first sip"),
            block(
                "text",
                f"{GREETING}\n\nexpect red apple and panela. We cupped it twice: 87.25 points.\n\nA guide in short:\n"
                "- grind it fine\n- pour slowly\n- wait\n\nShipping is free until Sunday.",
            ),
            block("button", "Taste it", url=LINK),
        ],
    },
}
MENDED = "This year there are 1,450 bags of it, and shipping is free until Sunday."
PROPOSED = {
    "audience": "Subscribers", "offer": "Free shipping until Sunday", "facts": ["First orders of the harvest lot"],
    "cta_label": "Reserve yours", "cta_url": "", "tone": "warm, plain", "length": "short", "language": "en",
    "must_say": [], "must_not_say": [],
}  # fmt: skip


def write(request: Request, *, is_stubborn: bool = True) -> Reply:
    """Play the team: distinct angles; a stubborn editor leaves the invented discount in."""
    if request.properties == set(PROPOSED):
        return Reply(json.dumps(PROPOSED))
    if request.properties == {"text", "title", "url"}:
        return Reply(json.dumps({"text": "Beans worth a year of waiting", "title": "", "url": ""}), pieces=4)
    role, data = team.role_of(request), team.data_of(request)
    if role == "strategist":
        angles = [{"label": label, "idea": f"Say it as {label}.", "facts": []} for label in ANGLES]
        return Reply(json.dumps({"angles": angles}))
    if role == "writer":
        return Reply(json.dumps(WRITTEN[data["angle"]["label"]]), pieces=40, input_tokens=900, output_tokens=340)
    if role == "editor":
        mended = json.loads(json.dumps(next(d for d in WRITTEN.values() if d["subject"] == data["draft"]["subject"])))
        text = mended["blocks"][1]
        if "This year" not in text["text"]:
            return Reply(json.dumps(mended))
        kept = text["text"].partition("This year")[0]
        text["text"] = f"{kept}It is 25% cheaper for you." if is_stubborn else kept + MENDED
        return Reply(json.dumps(mended))
    return team.answer(request)


@contextmanager
def provider(settings: Any, answer: Callable[[Request], Reply] = write) -> Iterator[LLMServer]:
    """Both families answered by the fake."""
    with LLMServer(otherwise=answer) as server:
        settings.OPENAI_API_KEY = settings.ANTHROPIC_API_KEY = "sk-test"
        settings.OPENAI_BASE_URL, settings.ANTHROPIC_BASE_URL = server.openai_url, server.url
        settings.EMBEDDER = "lexical"
        yield server


def with_angles(workspace: Workspace, actor: User | None, **brief: Any) -> tuple[Campaign, Generation]:
    """A campaign whose angles are asked for and not yet written."""
    campaign = make_campaign(workspace)
    fields = {**BRIEF, **brief}
    return campaign, adopting.write_angles(campaign=campaign, actor=actor, brief_fields=fields)
