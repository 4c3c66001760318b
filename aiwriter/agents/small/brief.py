"""From one sentence to a proposed brief. A proposal holds nothing that the sentence or the brand's facts do not say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Literal, TypedDict

from pydantic import BaseModel, ConfigDict, Field

from aiwriter.agents.contract import BriefData, evidence_of
from aiwriter.agents.given import brief_for_model
from aiwriter.agents.offline.languages import detect_language
from aiwriter.agents.offline.proposing import propose_by_rules
from aiwriter.agents.small.task import Asked, SmallTask
from aiwriter.guardrails import Evidence
from aiwriter.guardrails.languages import language
from aiwriter.guardrails.statements import read_statements

MOST_FACTS = 6
_WORD = re.compile(r"[^\W_]+")


class ProposedBrief(BaseModel):
    """The fields besides the sentence; what it does not support is empty."""

    model_config = ConfigDict(extra="forbid")

    audience: str = Field(max_length=500)
    offer: str = Field(max_length=500)
    facts: list[str] = Field(max_length=20)
    cta_label: str = Field(max_length=80)
    cta_url: str = Field(max_length=1000)
    tone: str = Field(max_length=120)
    length: Literal["short", "medium", "long"]
    language: str = Field(max_length=20)
    must_say: list[str] = Field(max_length=10)
    must_not_say: list[str] = Field(max_length=10)


class LeftOut(TypedDict):
    """A proposal that was not shown, and why."""

    field: str
    text: str
    reason: str


#: Fields that drafts will rest on: every word that carries meaning must stand in the sentence or a brand fact.
QUOTING = frozenset({"offer", "facts", "must_say"})
#: Fields of choices and names of languages: nothing to check.
UNCHECKED = frozenset({"length", "language", "must_not_say"})


def held_to(brief: BriefData, proposed: dict[str, Any]) -> dict[str, Any]:
    """Return `{proposed, left_out}`: a proposal without what neither the sentence nor the brand's facts support."""
    brief = replace(brief, language=detect_language(brief.goal, brief.language))
    evidence = evidence_of(brief)
    left_out: list[LeftOut] = []
    kept: dict[str, Any] = {}
    for name, value in proposed.items():
        if name in UNCHECKED:
            kept[name] = value
            continue
        texts = value if isinstance(value, list) else [value]
        passed = []
        for text in filter(None, (" ".join(str(text).split()) for text in texts)):
            reason = next(_objections(name, text, brief, evidence), "")
            if reason:
                left_out.append(LeftOut(field=name, text=text[:300], reason=reason))
            else:
                passed.append(text)
        kept[name] = passed[:MOST_FACTS] if isinstance(value, list) else next(iter(passed), "")
    return {"proposed": {name: value for name, value in kept.items() if value}, "left_out": left_out}


def _objections(name: str, text: str, brief: BriefData, evidence: Evidence) -> Iterator[str]:
    if name == "cta_url":
        if text not in (brief.cta_url, *brief.allowed_links):
            yield "No link of yours."
        return
    for statement in read_statements(text, brief.language):
        if evidence.support(statement, text) is None:
            yield f"Nothing supports “{statement.text[:60]}”."
    if name in QUOTING and (new := sorted(_meaning(text, brief.language) - _meaning(evidence.text, brief.language))):
        yield f"You did not say “{new[0]}”."


def _meaning(text: str, code: str) -> frozenset[str]:
    """Return the words that carry meaning, cut to four letters so that their endings do not matter."""
    spoken = language(code)
    common: Iterable[str] = spoken.stop_words if spoken else ()
    words = (word.lower() for word in _WORD.findall(text))
    return frozenset(word[:4] for word in words if word not in common and len(word) >= 4)


def _data(asked: Asked) -> dict[str, Any]:
    given = brief_for_model(asked.brief, asked.voice)
    return {name: given[name] for name in ("goal", "brand_facts", "links", "brand", "language")}


def _result(asked: Asked, answer: ProposedBrief) -> dict[str, Any]:
    return held_to(asked.brief, answer.model_dump())


def _by_rules(asked: Asked) -> dict[str, Any]:
    return held_to(asked.brief, propose_by_rules(asked.brief))


BRIEF = SmallTask(prompt="brief", answer=ProposedBrief, data=_data, result=_result, by_rules=_by_rules)
