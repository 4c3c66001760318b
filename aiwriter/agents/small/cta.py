"""Words on a button: five labels, each with its reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from aiwriter.agents.offline import words
from aiwriter.agents.offline.grammar import upper_first
from aiwriter.agents.offline.rewriting import NeedsModel
from aiwriter.agents.small.task import Asked, SmallTask
from aiwriter.agents.small.wording import background

MOST_LABELS = 5
#: What fits on a button of a phone.
MOST_CHARACTERS = 26
#: Verbs that lead to the same thing: a label stays true when one stands for another.
SAME_DEED = (
    ("reserve", "set aside", "hold"),
    ("buy", "order", "get"),
    ("order", "get", "buy"),
    ("shop", "browse", "explore"),
    ("read", "see"),
    ("view", "see", "look at"),
    ("see", "view", "look at"),
    ("book", "reserve"),
    ("join", "be part of"),
    ("register for", "sign up for"),
    ("sign up for", "register for"),
    ("download", "get"),
    ("try", "test"),
    ("watch", "see"),
    ("start", "begin"),
    ("learn about", "read about", "find out about"),
    ("discover", "explore", "see"),
    ("explore", "discover", "see"),
    ("get", "claim"),
    ("claim", "get"),
    ("renew", "extend"),
    ("visit", "come to"),
    ("meet", "get to know"),
)
#: What is done with a thing that becomes the reader's.
_OWNING = frozenset({"reserve", "buy", "order", "book", "get", "claim", "renew", "download", "start"})
_ARTICLE = re.compile(r"(?:an?|the|our)\s+", re.IGNORECASE)


class Label(BaseModel):
    """One label and why it may work."""

    model_config = ConfigDict(extra="forbid")

    label: str = Field(min_length=1, max_length=80)
    reason: str = Field(max_length=200)


class CallToActionAnswer(BaseModel):
    """Labels for one button."""

    model_config = ConfigDict(extra="forbid")

    labels: list[Label] = Field(min_length=1, max_length=10)


def _result(asked: Asked, labels: Iterator[tuple[str, str]]) -> dict[str, Any]:
    """Return labels that are not there already, at most five."""
    known = {str(one).strip().lower() for one in (asked.request.get("label", ""), *asked.request.get("earlier", ()))}
    new: dict[str, dict[str, str]] = {}
    for label, reason in labels:
        clean = " ".join(label.split()).rstrip(".")
        if clean and clean.lower() not in known:
            new.setdefault(clean.lower(), {"label": clean, "reason": reason})
    return {"labels": list(new.values())[:MOST_LABELS]}


def _variants(label: str) -> Iterator[tuple[str, str]]:
    """Yield what else says the same deed: other verbs, the reader's own thing, the first person."""
    lowered = label.lower()
    for verb, *others in SAME_DEED:
        rest = label[len(verb) :]
        if not lowered.startswith(verb) or not rest.startswith(" "):
            continue
        thing = rest.strip()
        bare = _ARTICLE.sub("", thing, count=1)
        is_owned = verb in _OWNING and len(bare) < len(thing)
        if is_owned:
            yield f"{upper_first(verb)} your {bare}", "Speaks of the reader’s own."
        if is_owned and len(bare.split()) == 1:
            yield f"{upper_first(verb)} yours", "The shortest way to say it."
        for other in others:
            yield f"{upper_first(other)} {thing}", f"The same deed: “{other}” for “{verb}”."
        if is_owned:
            yield f"{upper_first(others[0])} your {bare}", "Another verb, and the reader’s own."
            yield f"{upper_first(verb)} my {bare}", "In the reader’s voice."
        return


def _by_rules(asked: Asked) -> dict[str, Any]:
    labels = dict.fromkeys(filter(None, (str(asked.request.get("label", "")).strip(), asked.brief.cta_label.strip())))
    if not asked.brief.language.startswith("en") or asked.request.get("language", "en")[:2] != "en":
        raise NeedsModel

    def all_of_them() -> Iterator[tuple[str, str]]:
        if asked.brief.cta_label:
            yield asked.brief.cta_label, "As the brief says it."
        for label in labels:
            yield from _variants(label)

    fitting = ((label, reason) for label, reason in all_of_them() if len(label) <= MOST_CHARACTERS)
    result = _result(asked, (pair for pair in fitting if not words.DANGLING.search(pair[0])))
    if not result["labels"]:
        raise NeedsModel
    return result


CTA = SmallTask(
    prompt="cta",
    answer=CallToActionAnswer,
    data=lambda asked: {**background(asked), **asked.request},
    result=lambda asked, answer: _result(asked, ((each.label, each.reason) for each in answer.labels)),
    by_rules=_by_rules,
    is_short=True,
    max_output_tokens=500,
)
