"""Small edits without a model: rules that shorten, simplify, loosen or stiffen a text; and subject lines of a brief.

What needs understanding (expand, translate) is refused: pretending would be worse than saying no.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from aiwriter.agents.contract import BriefData
from aiwriter.agents.offline.grammar import sentence, upper_first
from aiwriter.agents.offline.phrasing import fit_subject, headline_of, lead_of
from aiwriter.agents.offline.reading import read_brief

_SENTENCE_EDGE = re.compile(r"(?<=[.!?])\s+")
_FILLERS = re.compile(
    r"\b(?:very|really|quite|just|simply|actually|basically|in order(?= to)|absolutely|truly|definitely|literally|"
    r"please note that|we are (?:pleased|happy|delighted|excited) to (?:announce|inform you|tell you) that)\s?",
    re.IGNORECASE,
)
_PLAIN = {
    "utilize": "use", "utilise": "use", "purchase": "buy", "commence": "start", "assist": "help", "receive": "get",
    "additional": "more", "prior to": "before", "in order to": "to", "at this time": "now", "numerous": "many",
    "approximately": "about", "require": "need", "obtain": "get", "regarding": "about", "sufficient": "enough",
    "leverage": "use", "facilitate": "help", "demonstrate": "show", "terminate": "end", "subsequently": "later",
    "therefore": "so",
}  # fmt: skip
_CONTRACTIONS = {
    "do not": "don't", "does not": "doesn't", "is not": "isn't", "are not": "aren't", "cannot": "can't",
    "will not": "won't", "we are": "we're", "you are": "you're", "it is": "it's", "we have": "we've",
    "we will": "we'll", "you will": "you'll", "that is": "that's", "there is": "there's", "let us": "let's",
}  # fmt: skip
_CASUAL = {"hi": "hello", "hey": "hello", "thanks": "thank you", "get in touch": "contact us", "lots of": "many"}


class NeedsModel(ValueError):
    """The edit cannot be done by rules."""


def _replace(text: str, table: dict[str, str]) -> str:
    def same_case(match: re.Match[str]) -> str:
        new = table[match[0].lower()]
        return upper_first(new) if match[0][0].isupper() else new

    pattern = "|".join(re.escape(key) for key in sorted(table, key=len, reverse=True))
    return re.sub(rf"\b(?:{pattern})\b", same_case, text, flags=re.IGNORECASE)


def _tidy(text: str) -> str:
    text = re.sub(r"[ \t]{2,}", " ", text)
    text = re.sub(r"\s+([,.;:!?])", r"\1", text)
    text = re.sub(r"\b(\w+)( \1\b)+", r"\1", text, flags=re.IGNORECASE)
    text = re.sub(r"(^|[.!?]\s+)([a-z])", lambda match: match[1] + match[2].upper(), text)
    return re.sub(r"\bi\b(?!\.\w)", "I", text).strip()


def _shorten(text: str) -> str:
    lean = _tidy(_FILLERS.sub("", text))
    sentences = _SENTENCE_EDGE.split(lean)
    return " ".join(sentences[: max(1, (len(sentences) * 2 + 2) // 3)])


def _punchier(text: str) -> str:
    lean = _replace(_tidy(_FILLERS.sub("", text)), _CONTRACTIONS)
    return _tidy(re.sub(r",\s+(?:and|but|so)\s+(?=(?:we|you|it|there)\b)", ". ", lean))


RULES: dict[str, Callable[[str], str]] = {
    "shorten": _shorten,
    "punchier": _punchier,
    "plainer": lambda text: _tidy(_replace(text, _PLAIN)),
    "friendlier": lambda text: _tidy(_replace(text, _CONTRACTIONS)),
    "more_formal": lambda text: _tidy(_replace(text, {short: long for long, short in _CONTRACTIONS.items()} | _CASUAL)),
    "fix_grammar": _tidy,
}


def rewrite_by_rules(text: str, instruction: str) -> str:
    """Return the edited text.

    Raises:
        NeedsModel: this instruction needs a language model.
    """
    rule = RULES.get(instruction)
    if rule is None:
        raise NeedsModel(instruction)
    return rule(text)


def subject_lines_by_rules(brief: BriefData, count: int) -> list[dict[str, str]]:
    """Return up to `count` subject lines with preview texts, from the brief's own words."""
    news = read_brief(brief)
    lead, headline = lead_of(news), headline_of(news)
    about = news.topic or news.plain
    offers, facts = list(news.offers), [fact.strip() for fact in brief.facts if fact.strip()]
    candidates = [
        headline,
        *offers,
        lead,
        *(f"{headline}: {offer}" for offer in offers if offer not in headline.lower()),
        f"A short note about {about}" if news.topic else f"A short note: {news.plain}",
        f"What to know about {about}" if news.topic else f"In short: {news.plain}",
        *facts,
        *(f"{offer}: {news.plain}" for offer in offers if not news.is_offer),
        f"For you: {about}" if news.topic else "",
        f"News: {news.plain}" if news.kind == "clause" else "",
        f"{about} – the details" if news.topic else "",
    ]
    previews = [sentence(text) for text in (*offers, lead, *facts, *news.extras)]
    lines: dict[str, dict[str, str]] = {}
    for candidate in filter(None, candidates):
        subject = fit_subject(candidate)
        if subject.endswith("…") and lines:
            continue
        preview = next((text for text in previews if text.rstrip(".").lower() not in subject.lower()), "")
        lines.setdefault(subject.lower(), {"subject": subject, "preview_text": preview})
    return list(lines.values())[:count]
