"""Measuring how a text is written: figures that anybody can check by counting, no model.

Formality follows the idea of counting markers for and against it (Heylighen and Dewaele, 1999), with the markers of
mail: contractions, familiar words and pronouns against; set phrases, polite pronouns and long sentences for.
`markers.json` holds them for seven languages; in others only sentences, signs and words are measured.
"""

from __future__ import annotations

import json
import re
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from aiwriter.guardrails.languages import FEWEST_WORDS, any_of, known_languages, language
from aiwriter.voice.cleaning import paragraphs_of

WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_SENTENCE = re.compile(r"[^.!?…]+(?:[.!?…]+[\"”’)»]*|$)")
_EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf\u2b50\u2b55]")
_PLACE = re.compile(r"\{\{\{?[^{}]*\}?\}\}|‹[^‹›]*›")
_MARKERS: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_name("markers.json").read_text(encoding="utf-8"))
#: A greeting or a sign-off is a line of its own, and short.
LONGEST_GREETING_WORDS = 6
CASUAL, FORMAL = 40.0, 60.0
MOST_FREQUENT = 12


@dataclass(frozen=True)
class Manner:
    """The figures of some texts. Rates are per 100 words, or per 100 sentences where they count sentences.

    Attributes:
        spread: standard deviation of the words in a sentence.
        capitals: words in capitals, of four letters or more.
        formality: 0 (chat) to 100 (a legal letter); None in languages without markers, or with too few words.
        contractions: None where a language has none to speak of.
    """

    language: str
    words: int
    sentences: int
    words_per_sentence: float
    spread: float
    words_per_paragraph: float
    exclamations: float
    questions: float
    emoji: float
    capitals: float
    you: float | None
    we: float | None
    contractions: float | None
    formality: float | None
    greeting: str
    sign_off: str
    frequent: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return it as it is stored with a voice."""
        return {**asdict(self), "frequent": list(self.frequent)}


@cache
def marker(code: str, name: str) -> re.Pattern[str] | None:
    """Return what finds the markers of a language; None when it has none of that name."""
    found = _MARKERS.get(code, {}).get(name)
    return any_of(found) if found else None


def _plain_words(code: str) -> frozenset[str]:
    """Return the words that are frequent in anybody's mails."""
    return frozenset(str(_MARKERS.get(code, {}).get("plain", "")).split())


def guess_language(text: str) -> str:
    """Return the code of the language that most words' company speaks for, '' when it is not clear."""
    words = [word.lower().replace("’", "'") for word in WORD.findall(text)]
    if len(words) < FEWEST_WORDS:
        return ""
    shares = {
        code: sum(word in spoken.stop_words for word in words) / len(words)
        for code in known_languages()
        if (spoken := language(code)) is not None and spoken.stop_words
    }
    best = max(shares, key=lambda code: shares[code])
    return best if shares[best] >= 0.12 else ""


def sentences_of(text: str) -> list[str]:
    """Return the sentences of a paragraph; what holds no word is none."""
    return [found.strip() for found in _SENTENCE.findall(_PLACE.sub("x", text)) if WORD.search(found)]


def formality_of(text: str, code: str, *, words_per_sentence: float | None = None) -> float | None:
    """Return how formal a text is, 0 to 100; None when its language has no markers or the text no words.

    Args:
        words_per_sentence: of the whole that the text is a part of; None counts its own.
    """
    words = WORD.findall(text)
    informal, formal = marker(code, "informal"), marker(code, "formal")
    if not words or informal is None or formal is None:
        return None
    per_hundred = 100 / max(len(words), 25)
    contractions = marker(code, "contractions")
    count = len(sentences_of(text)) or 1
    length = words_per_sentence if words_per_sentence is not None else len(words) / count
    against = 6.0 * len(informal.findall(text)) + 2.5 * (len(contractions.findall(text)) if contractions else 0)
    against += 2.0 * text.count("!") + 5.0 * len(_EMOJI.findall(text))
    score = 50 + per_hundred * (7.0 * len(formal.findall(text)) - against)
    score += 1.2 * min(15.0, max(0.0, length - 16)) - 1.0 * max(0.0, 11 - length)
    score += 6.0 * max(-1.5, min(2.5, sum(map(len, words)) / len(words) - 4.7))
    return round(min(100.0, max(0.0, score)), 1)


def class_of(formality: float | None) -> str:
    """Return casual, neutral or formal; '' for what was not measured."""
    if formality is None:
        return ""
    return "casual" if formality < CASUAL else "formal" if formality > FORMAL else "neutral"


def measure(texts: Sequence[str]) -> Manner:
    """Return the figures of some texts together."""
    paragraphs = [paragraph for text in texts for paragraph in paragraphs_of(text)]
    prose = [paragraph for paragraph in paragraphs if len(WORD.findall(paragraph)) > LONGEST_GREETING_WORDS]
    whole = "\n".join(_PLACE.sub("x", paragraph) for paragraph in paragraphs)
    code = guess_language(whole)
    words = WORD.findall(whole)
    lengths = [len(WORD.findall(sentence)) for paragraph in prose for sentence in sentences_of(paragraph)]
    mean = statistics.fmean(lengths) if lengths else 0.0
    sentences = len(lengths) or 1
    return Manner(
        language=code,
        words=len(words),
        sentences=len(lengths),
        words_per_sentence=round(mean, 1),
        spread=round(statistics.pstdev(lengths), 1) if lengths else 0.0,
        words_per_paragraph=round(statistics.fmean(len(WORD.findall(one)) for one in prose), 1) if prose else 0.0,
        exclamations=round(100 * whole.count("!") / sentences, 1),
        questions=round(100 * whole.count("?") / sentences, 1),
        emoji=round(100 * len(_EMOJI.findall(whole)) / sentences, 1),
        capitals=round(100 * sum(len(word) > 3 and word.isupper() for word in words) / sentences, 1),
        you=_rate(whole, code, "you", len(words)),
        we=_rate(whole, code, "we", len(words)),
        contractions=_rate(whole, code, "contractions", len(words)),
        formality=formality_of(whole, code, words_per_sentence=mean) if len(words) >= 40 else None,
        greeting=_common_line(texts, code, "greetings", is_first=True),
        sign_off=_common_line(texts, code, "sign_offs", is_first=False),
        frequent=_frequent(texts, code),
    )


def _rate(text: str, code: str, name: str, words: int) -> float | None:
    pattern = marker(code, name)
    return round(100 * len(pattern.findall(text)) / max(1, words), 1) if pattern else None


def _common_line(texts: Iterable[str], code: str, name: str, *, is_first: bool) -> str:
    """Return how most texts begin or end, such as “Hello” or “See you”; '' when they do not agree."""
    pattern = marker(code, name)
    lines: list[str] = []
    asked = 0
    for text in texts:
        asked += 1
        raw = [" ".join(_PLACE.sub("", line).split()).strip(" ,!.") for line in text.split("\n") if line.strip()]
        place = raw[:2] if is_first else raw[-3:]
        for line in place:
            if pattern and (found := pattern.match(line)) and len(WORD.findall(line)) <= LONGEST_GREETING_WORDS:
                lines.append(found[0].capitalize())  # without the name, which is somebody's
                break
    if not lines:
        return ""
    line, count = Counter(lines).most_common(1)[0]
    return line if count * 2 > asked else ""


def _frequent(texts: Sequence[str], code: str) -> tuple[str, ...]:
    """Return the words that a brand comes back to: three times at least, and not in one of several texts alone."""
    spoken = language(code) if code else None
    greetings = " ".join(_MARKERS.get(code, {}).get("greetings", ()))
    nobodys = (spoken.stop_words if spoken else frozenset()) | _plain_words(code) | {*greetings.split()}
    total: Counter[str] = Counter()
    spread: Counter[str] = Counter()
    for text in texts:
        words = [word.lower() for word in WORD.findall(_PLACE.sub(" ", text)) if not word[1:].isupper()]
        words = [word for word in words if len(word) >= 4 and word not in nobodys]
        total.update(words)
        spread.update(set(words))
    needed = 2 if len(texts) > 1 else 1
    common = [word for word, count in total.most_common() if count >= 3 and spread[word] >= needed]
    return tuple(common[:MOST_FREQUENT])
