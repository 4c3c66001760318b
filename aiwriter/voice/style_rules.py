"""Style rules that can be checked by counting: a table of how people word them, and what breaks them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from aiwriter.voice.manner import WORD, marker, sentences_of

_EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf\u2b50\u2b55]")
SHORT_SENTENCE = 20
SHORT_PARAGRAPH = 60
_NO = r"(?:no|never|avoid|without|not?\s+use|don['’]t use|do not use|skip|zero)\b.{0,30}"

#: (words of the paragraph, its language, the rule's number) -> what breaks the rule, or ''.
Check = Callable[[str, str, int], str]


class Rule(NamedTuple):
    """One kind of rule: how people say it, and what breaks it."""

    wording: re.Pattern[str]
    check: Check


def _sign(sign: str, name: str) -> Check:
    return lambda text, _language, _number: f"{text.count(sign)} {name}" if sign in text else ""


def _emoji(text: str, _language: str, _number: int) -> str:
    found = _EMOJI.search(text)
    return f"“{found[0]}”" if found else ""


def _capitals(text: str, _language: str, _number: int) -> str:
    shouted = next((word for word in WORD.findall(text) if len(word) > 3 and word.isupper()), "")
    return f"“{shouted}” is in capitals" if shouted else ""


def _contraction(text: str, language: str, _number: int) -> str:
    found = (pattern := marker(language, "contractions")) and pattern.search(text)
    return f"“{found[0]}”" if found else ""


def _no_contraction(text: str, language: str, _number: int) -> str:
    short, long = marker(language, "contractions"), marker(language, "expandable")
    found = long.search(text) if short and long and not short.search(text) else None
    return f"“{found[0]}” could be shorter" if found else ""


def _longest(text: str) -> int:
    return max((len(WORD.findall(sentence)) for sentence in sentences_of(text)), default=0)


def _sentence_limit(text: str, _language: str, number: int) -> str:
    return f"a sentence of {words} words" if (words := _longest(text)) > (number or SHORT_SENTENCE) else ""


def _sentence_about(text: str, _language: str, number: int) -> str:
    sentences = sentences_of(text)
    mean = sum(len(WORD.findall(one)) for one in sentences) / len(sentences) if sentences else 0
    return f"sentences of {mean:.0f} words" if number and mean > max(1.7 * number, number + 6) else ""


def _paragraph_limit(text: str, _language: str, number: int) -> str:
    return f"{words} words" if (words := len(WORD.findall(text))) > (number or SHORT_PARAGRAPH) else ""


def _rule(wording: str, check: Check) -> Rule:
    return Rule(re.compile(wording, re.IGNORECASE), check)


#: The first that matches counts, so the more particular stand first.
RULES = (
    _rule(_NO + r"exclamation", _sign("!", "exclamation marks")),
    _rule(_NO + r"emojis?", _emoji),
    _rule(_NO + r"(?:all[- ]?caps|capitals|capital letters|shouting)", _capitals),
    _rule(_NO + r"(?:rhetorical )?questions?", _sign("?", "questions")),
    _rule(_NO + r"semicolons?", _sign(";", "semicolons")),
    _rule(_NO + r"(?:em[- ])?dash(?:es)?", _sign("—", "dashes")),
    _rule(_NO + r"contractions?", _contraction),
    _rule(r"contractions?", _no_contraction),
    _rule(r"sentences? of about (?P<number>\d+) words", _sentence_about),
    _rule(r"sentences?\b.{0,40}\b(?P<number>\d+) words|(?P<second>\d+) words? (?:a|per) sentence", _sentence_limit),
    _rule(r"paragraphs?\b.{0,40}\b(?P<number>\d+) words", _paragraph_limit),
    _rule(r"\b(?:short|brief)\b.{0,20}\bsentences?\b", _sentence_limit),
    _rule(r"\b(?:short|brief)\b.{0,20}\bparagraphs?\b", _paragraph_limit),
)


def understood(rule: str) -> tuple[Check, int] | None:
    """Return how a style rule is checked and the number it names; None for one that needs a reader."""
    for one in RULES:
        if found := one.wording.search(rule):
            numbers = [value for value in found.groupdict().values() if value]
            return one.check, int(numbers[0]) if numbers else 0
    return None


def broken_rules(text: str, rules: Iterable[str], language: str) -> list[tuple[str, str]]:
    """Return (rule, what breaks it) for the rules that a paragraph breaks."""
    broken = []
    for rule in rules:
        check = understood(rule)
        if check is not None and (what := check[0](text, language, check[1])):
            broken.append((rule, what))
    return broken
