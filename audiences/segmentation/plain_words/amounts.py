"""Comparisons with numbers: "at least 100 euros", "between 1,000 and 2k", "5 or more"."""

from __future__ import annotations

import re
from typing import Any

from audiences.segmentation.plain_words.times import NUMBER_WORDS

_WORDS = "|".join(word for word in NUMBER_WORDS if word not in ("a", "an"))
_MONEY_BEFORE = r"(?:[$€£]\s?|(?:usd|eur|gbp)\s)?"
_UNIT_AFTER = r"(?:\s?(?:[$€£%]|euros?|dollars?|pounds?|usd|eur|gbp|percent|points?|years?(?:\s+old)?)(?!\w))?"


def _number(name: str) -> str:
    digits = r"-?\d{1,3}(?:,\d{3})+(?:\.\d{1,6})?|-?\d{1,12}(?:\.\d{1,6})?"
    return rf"{_MONEY_BEFORE}(?P<{name}>{digits}|(?:{_WORDS})\b)(?P<{name}k>\s?k\b)?{_UNIT_AFTER}"


_LOW, _HIGH = _number("low"), _number("high")
_IS = r"\s*(?:\s(?:is|are|was|were|field|of)\b)?\s*"
_COMPARISONS = tuple(
    (re.compile(pattern, re.IGNORECASE), op)
    for op, pattern in (
        ("between", rf"{_IS}between\s+{_LOW}\s+and\s+{_HIGH}"),
        ("between", rf"{_IS}(?:from\s+)?{_LOW}\s*(?:to|-|–)\s*{_HIGH}"),
        ("at_least", rf"{_IS}(?:at\s+least|>=|≥|(?:no|not)\s+(?:less|fewer)\s+than|minimum(?:\s+of)?)\s*{_LOW}"),
        ("at_most", rf"{_IS}(?:at\s+most|<=|≤|up\s+to|(?:no|not)\s+more\s+than|maximum(?:\s+of)?)\s*{_LOW}"),
        (
            "greater_than",
            rf"{_IS}(?:(?:more|greater|higher|larger|older)\s+than|over|above|exceeds?|>)\s*{_LOW}",
        ),
        ("less_than", rf"{_IS}(?:(?:less|fewer|lower|smaller|younger)\s+than|under|below|<)\s*{_LOW}"),
        ("at_least", rf"{_IS}{_LOW}\s*(?:or\s+(?:more|above|over|higher)|and\s+(?:up|above|over|more)|\+|plus\b)"),
        ("at_most", rf"{_IS}{_LOW}\s*or\s+(?:less|fewer|below|under|lower)"),
        ("not_equals", rf"\s*(?:is\s+|are\s+)?(?:not|!=|<>)\s*(?:equal\s+to\s+)?{_LOW}"),
        ("equals", rf"\s*(?:(?:(?:is|are|was|equals?|of|exactly)\b|==?|:)\s*)*{_LOW}"),
    )
)


def read_comparison(text: str, position: int) -> tuple[str, Any, int] | None:
    """Return the operator and value of the comparison at a position, and where it ends."""
    for pattern, op in _COMPARISONS:
        if match := pattern.match(text, position):
            low = _amount(match, "low")
            return op, sorted((low, _amount(match, "high"))) if op == "between" else low, match.end()
    return None


def _amount(match: re.Match[str], name: str) -> float:
    word = match[name].lower()
    number = float(NUMBER_WORDS[word]) if word in NUMBER_WORDS else float(word.replace(",", ""))
    number *= 1000 if match[f"{name}k"] else 1
    return int(number) if number.is_integer() else number
