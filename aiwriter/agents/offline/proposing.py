"""Proposing a brief without a model: what the sentence says already, field by field. Nothing is added to it."""

from __future__ import annotations

import re
from typing import Any

from aiwriter.agents.contract import BriefData
from aiwriter.agents.offline.grammar import upper_first
from aiwriter.agents.offline.languages import detect_language
from aiwriter.agents.offline.phrasing import button_label
from aiwriter.agents.offline.reading import read_brief
from aiwriter.agents.offline.words import READERS

_SENTENCES = re.compile(r"(?<=[.!?])\s+|\n+|;\s+")
_READERS = re.compile(
    r"\b(?:tell|inform|remind|invite|thank|ask|welcome|e-?mail|update|show|give|offer|for|to|win back|let)\s+"
    rf"({READERS})",
    re.IGNORECASE,
)
_NOBODY = re.compile(r"(?:everyone|everybody|them|people|folks|anyone|all|list)$", re.IGNORECASE)
_OUR = re.compile(r"^(?:all\s+(?:of\s+)?)?(?:our|the|my|these|those)\s+", re.IGNORECASE)
_TO_WRITER = re.compile(r"(?:please\s+)?(?:keep|make (?:it|this)|be|sound|write|the tone|tone|in an?)\b", re.IGNORECASE)
_TONES = re.compile(
    r"\b(?:warm|friendly|playful|formal|plain|serious|light|light-hearted|calm|personal|proud|honest|cheerful|casual|"
    r"professional|polite|bold|funny|kind|relaxed|confident|grateful|festive|simple|modest|urgent)\b",
    re.IGNORECASE,
)
_LENGTHS = (
    ("short", re.compile(r"\b(?:short|brief|quick|few lines|under \d+ words)\b", re.IGNORECASE)),
    ("long", re.compile(r"\b(?:long|detailed|in depth|full story)\b", re.IGNORECASE)),
)
_NOT = re.compile(
    r"^(?:and\s+)?(?:please\s+)?(?:(?:do not|don['’]t|never)\s+(?:mention|say|use|write|talk about)|"
    r"avoid(?: (?:saying|using|mentioning))?|no mention of|leave out)\s+(?:the words?\s+)?(.+)$",
    re.IGNORECASE,
)
_SAY = re.compile(
    r"^(?:and\s+)?(?:please\s+)?(?:also\s+)?(?:make sure to )?(?:mention|include|say|add)\s+(?:that\s+)?(.+)$",
    re.IGNORECASE,
)
_WORDS = re.compile(r"[^\W\d_]{5,}")


def propose_by_rules(brief: BriefData) -> dict[str, Any]:
    """Return the fields of a brief that its sentence holds. English is read by rules; of others only the language.

    Brand facts that share a word with the sentence are proposed as facts.
    """
    code = detect_language(brief.goal, brief.language)
    proposed: dict[str, Any] = {"language": code, "cta_url": brief.cta_url, "facts": _bearing(brief)}
    if code != "en":
        return proposed
    sentences = [part.strip(" .!") for part in _SENTENCES.split(brief.goal) if part.strip(" .!")]
    news = read_brief(brief)
    to_writer = " ".join(text for text in sentences if _TO_WRITER.match(text))
    facts = [news.statement] if news.kind == "clause" else []
    said = [match[1] for text in sentences if (match := _SAY.match(text))]
    return {
        **proposed,
        "audience": _audience(brief.goal),
        "offer": upper_first(news.offers[0]) if news.offers else "",
        "facts": [*facts, *(text.rstrip(".") for text in news.extras if not _is_order(text)), *proposed["facts"]],
        "cta_label": button_label(news, brief, ""),
        "tone": ", ".join(dict.fromkeys(word.lower() for word in _TONES.findall(to_writer))),
        "length": next((length for length, pattern in _LENGTHS if pattern.search(to_writer)), "medium"),
        "must_say": [upper_first(text) for text in said],
        "must_not_say": [match[1].strip(" “”\"'") for text in sentences if (match := _NOT.match(text))],
    }


def _is_order(text: str) -> bool:
    return any(pattern.match(text.rstrip(".")) for pattern in (_SAY, _NOT, _TO_WRITER))


def _audience(goal: str) -> str:
    found = _READERS.search(goal)
    if found is None:
        return ""
    readers = _OUR.sub("", found[1].strip())
    return "" if _NOBODY.fullmatch(readers) else upper_first(readers)


def _bearing(brief: BriefData) -> list[str]:
    """Return the brand facts that have a word in common with the sentence."""
    own = {word.lower()[:5] for word in _WORDS.findall(brief.goal)}
    return [fact for fact in brief.brand_facts if own & {word.lower()[:5] for word in _WORDS.findall(fact)}]
