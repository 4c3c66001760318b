"""The voice score: how well each paragraph of a draft sounds like the brand, 0 to 100, with every deduction named.

A paragraph starts at 100 and loses points for what can be pointed at. The points are judgement, the reasons are facts:
people see both. Nothing here asks a model; what no rule can check is listed as not checked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiwriter.models.draft import readable_text
from aiwriter.voice.manner import WORD, class_of, formality_of, guess_language, sentences_of
from aiwriter.voice.style_rules import broken_rules, understood

Block = dict[str, Any]
#: Class -> the formality to hold paragraphs against when the samples were not measured.
TARGETS = {"casual": 25.0, "neutral": 50.0, "formal": 75.0}
#: A single paragraph has few words: this much difference says nothing.
FORMALITY_SLACK = 22.0
FEWEST_WORDS = 8
#: Fewer words are a greeting or a label: nothing to compare.
FEWEST_TO_COMPARE = 5
MOST_FOR_LIKENESS = 12
SOUNDS_LIKE, MOSTLY = 80, 60
_BREAK = re.compile(r"</p>|</li>|<br\s*/?>|</h[1-6]>", re.IGNORECASE)


@dataclass(frozen=True)
class Paragraph:
    """One paragraph of a draft, and the block that it stands in."""

    block: str
    text: str


@dataclass(frozen=True)
class Nearest:
    """The paragraph of the brand's own that is most like another.

    Attributes:
        label: what kind of likeness was measured.
        kinship: 0 for another hand to 1 for the same; None where this kind of likeness does not tell.
    """

    text: str
    title: str
    similarity: float
    label: str
    kinship: float | None


@dataclass(frozen=True)
class Reason:
    """Why points were taken, or 0 points for what speaks for a paragraph."""

    code: str
    text: str
    points: int


#: Own paragraphs nearest to some texts, one for each or None.
FindNearest = Callable[[Sequence[str]], Sequence[Nearest | None]]


def paragraphs_of_blocks(blocks: Iterable[Block]) -> list[Paragraph]:
    """Return the paragraphs of a block list in reading order; buttons and pictures have no voice."""
    found: list[Paragraph] = []
    for block in blocks:
        if block.get("type") == "columns":
            found += paragraphs_of_blocks(inner for column in block.get("columns", ()) for inner in column)
            continue
        if block.get("type") not in ("heading", "text", "quote", "product"):
            continue
        source = str(block.get("html") or block.get("text") or block.get("title") or "")
        for piece in _BREAK.split(source):
            if text := readable_text([{"html": piece}]):
                found.append(Paragraph(str(block.get("id", "")), text))
    return found


def score_paragraph(
    text: str, *, profile: Mapping[str, Any], measured: Mapping[str, Any], language: str, nearest: Nearest | None
) -> tuple[int, list[Reason]]:
    """Return the score of one paragraph and its reasons."""
    reasons = [
        *_words(text, profile),
        *_rules(text, profile, language),
        *_formality(text, profile, measured, language),
        *_length(text, measured),
        *_likeness(text, nearest),
    ]
    return max(0, 100 + sum(reason.points for reason in reasons)), reasons


def voice_report(
    blocks: Iterable[Block],
    *,
    profile: Mapping[str, Any],
    measured: Mapping[str, Any],
    language: str = "",
    find_nearest: FindNearest | None = None,
) -> dict[str, Any]:
    """Return how a draft sounds, as `Draft.voice` keeps it; {} for a draft without paragraphs.

    Args:
        measured: figures of the samples that the voice was learned from; may be empty.
        language: of the draft; '' is guessed.
    """
    paragraphs = paragraphs_of_blocks(blocks)
    if not paragraphs:
        return {}
    texts = [paragraph.text for paragraph in paragraphs]
    code = language.split("-")[0] or guess_language("\n".join(texts))
    compared = [text for text in texts if len(WORD.findall(text)) >= FEWEST_TO_COMPARE]
    found = dict(zip(compared, find_nearest(compared), strict=True)) if find_nearest and compared else {}
    rows, weighted, words = [], 0.0, 0
    for paragraph in paragraphs:
        near = found.get(paragraph.text)
        score, reasons = score_paragraph(
            paragraph.text, profile=profile, measured=measured, language=code, nearest=near
        )
        weight = max(1, len(WORD.findall(paragraph.text)))
        weighted, words = weighted + score * weight, words + weight
        rows.append(
            {
                "block": paragraph.block,
                "text": paragraph.text[:300],
                "score": score,
                "reasons": [{"code": one.code, "text": one.text, "points": one.points} for one in reasons],
                "nearest": _nearest_json(near),
            }
        )
    score = round(weighted / words)
    return {
        "score": score,
        "label": label_of(score),
        "paragraphs": rows,
        "unchecked": [rule for rule in profile.get("style_rules", ()) if understood(rule) is None],
    }


def label_of(score: int) -> str:
    """Return what a score means, in words."""
    return "Sounds like you" if score >= SOUNDS_LIKE else "Mostly you" if score >= MOSTLY else "Off voice"


def _nearest_json(near: Nearest | None) -> dict[str, Any] | None:
    if near is None:
        return None
    return {
        "text": near.text[:300],
        "title": near.title,
        "similarity": round(near.similarity, 3),
        "label": near.label,
    }


def _words(text: str, profile: Mapping[str, Any]) -> Iterable[Reason]:
    said = " ".join(text.lower().split())
    points = -40
    for name, sentence in (("banned_phrases", "is banned"), ("dont_words", "is a word you avoid")):
        for phrase in profile.get(name, ()):
            if phrase.strip() and re.search(rf"(?<!\w){re.escape(phrase.lower().strip())}(?!\w)", said):
                yield Reason("dont_word", f"“{phrase}” {sentence}.", points)
                points = -20
    own = [w for w in profile.get("do_words", ()) if re.search(rf"(?<!\w){re.escape(w.lower())}(?:s|es)?(?!\w)", said)]
    if own:
        yield Reason("own_words", f"Your words: {', '.join(own[:5])}.", 0)


def _rules(text: str, profile: Mapping[str, Any], language: str) -> Iterable[Reason]:
    for rule, what in broken_rules(text, profile.get("style_rules", ()), language)[:3]:
        yield Reason("style_rule", f"{rule.rstrip('.')}: {what}.", -15)


def _formality(text: str, profile: Mapping[str, Any], measured: Mapping[str, Any], language: str) -> Iterable[Reason]:
    target = measured.get("formality") or TARGETS.get(str(profile.get("formality") or ""))
    if profile.get("formality") and measured.get("formality") is not None:
        # A person may have chosen another class than was measured: theirs counts.
        chosen = str(profile["formality"])
        target = target if class_of(float(measured["formality"])) == chosen else TARGETS.get(chosen)
    if target is None or len(WORD.findall(text)) < FEWEST_WORDS:
        return
    own = formality_of(text, language)
    if own is None or abs(own - target) <= FORMALITY_SLACK or class_of(own) == class_of(target):
        return
    way = "more formal" if own > target else "more casual"
    points = -min(25, round((abs(own - target) - FORMALITY_SLACK) * 0.8) + 5)
    yield Reason("formality", f"Reads {way} than you do ({own:.0f}, yours {target:.0f} of 100).", points)


def _length(text: str, measured: Mapping[str, Any]) -> Iterable[Reason]:
    usual = float(measured.get("words_per_sentence") or 0)
    sentences = sentences_of(text)
    if not usual or not sentences or len(WORD.findall(text)) < FEWEST_WORDS:
        return
    mean = sum(len(WORD.findall(sentence)) for sentence in sentences) / len(sentences)
    distance = (mean - usual) / max(float(measured.get("spread") or 0), 4.0)
    if abs(distance) > 1.5:
        way = "longer" if distance > 0 else "shorter"
        points = -min(15, round(6 * (abs(distance) - 1.5)) + 4)
        yield Reason("sentence_length", f"Sentences of {mean:.0f} words, {way} than your {usual:.0f}.", points)


def _likeness(text: str, nearest: Nearest | None) -> Iterable[Reason]:
    if nearest is None or nearest.kinship is None or len(WORD.findall(text)) < FEWEST_WORDS:
        return
    if points := -round(MOST_FOR_LIKENESS * (1 - nearest.kinship)):
        yield Reason("unlike", f"Little like your own (nearest {nearest.similarity:.2f}, {nearest.label}).", points)
