"""Facts: numbers, dates, prices, codes and claims must stand in the brief. Words count like digits."""

from __future__ import annotations

import re
from collections.abc import Iterator

from aiwriter.guardrails.findings import CheckedDraft, Finding, finding

_UNITS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
WORD_NUMBERS = dict(zip(_UNITS, range(20), strict=True)) | _TENS | {"hundred": 100, "thousand": 1000, "half": 50}
#: Words that are numbers but hardly ever claims.
HARMLESS_WORDS = frozenset({"zero", "one", "two", "three"})
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_WORD = re.compile(r"[A-Za-zÀ-ÿ]+(?:['’][A-Za-z]+)?")
_CODE = re.compile(r"\b(?=[A-Z0-9]*\d)(?=[A-Z0-9]*[A-Z])[A-Z0-9]{4,}\b")
CALENDAR = frozenset(
    [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "january",
        "february",
        "march",
        "april",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
        "tomorrow",
        "tonight",
        "weekend",
    ]
)
#: What the reader is promised -> the words in the brief that allow it.
OFFERS = {
    "free": ("free", "gift", "complimentary", "no charge", "on us"),
    "gift": ("gift", "free", "present"),
    "discount": ("discount", "% off", "percent off", "sale", "save", "reduced", "code"),
    "sale": ("sale", "discount", "% off", "reduced"),
    "off": ("off", "discount", "sale", "reduced"),
    "refund": ("refund", "money back", "money-back"),
    "guarantee": ("guarantee",),
    "guaranteed": ("guarantee",),
    "warranty": ("warranty",),
    "giveaway": ("giveaway", "win", "prize"),
    "cashback": ("cashback", "cash back"),
}
_OFFER_CONTEXT = {"off": re.compile(r"(?:%|percent|[$€£]\s?\d+|half)\s*off\b", re.IGNORECASE)}
CLAIMS = re.compile(
    r"\b(award[- ]winning|number one|world'?s (?:best|first)|best[- ]selling|best in|clinically|scientifically|proven|"
    r"certified|risk[- ]free|doctor[- ]recommended|limited (?:stock|edition|time)|selling (?:out )?fast|only \w+ left|"
    r"last chance|cheapest|lowest price|exclusive|organic|sustainable|carbon[- ]neutral)\b|#1",
    re.IGNORECASE,
)


def numbers_in(text: str) -> set[str]:
    """Return the numbers of a text in one notation: `1,450` and `1450` and `1450.0` are the same."""
    found = set()
    for raw in _NUMBER.findall(text):
        plain = re.sub(r"[.,](?=\d{3}(?:\D|$))", "", raw).replace(",", ".")
        found.add(plain.rstrip("0").rstrip(".") if "." in plain else plain.lstrip("0") or "0")
    words = [word.lower() for word in _WORD.findall(text.replace("-", " "))]
    for index, word in enumerate(words):
        if word not in WORD_NUMBERS or word in HARMLESS_WORDS:
            continue
        value = WORD_NUMBERS[word]
        following = words[index + 1] if index + 1 < len(words) else ""
        if word in _TENS and 0 < WORD_NUMBERS.get(following, 0) < 10:
            value += WORD_NUMBERS[following]
        if word != "half" or following in ("price", "off"):
            found.add(str(value))
    return found


def check_facts(draft: CheckedDraft) -> Iterator[Finding]:
    """What the brief does not say, the draft must not say either."""
    evidence = draft.evidence.lower()
    known_numbers = numbers_in(draft.evidence)
    known_words = set(_WORD.findall(evidence))
    known_codes = set(_CODE.findall(draft.evidence.upper()))
    for piece in draft:
        where = piece.where
        for number in sorted(numbers_in(piece.text) - known_numbers):
            yield finding("number_unsupported", "block", f"The brief says nothing of “{number}”.", where)
        for code in sorted(set(_CODE.findall(piece.text)) - known_codes):
            yield finding("code_unsupported", "block", f"The brief has no code “{code[:40]}”.", where)
        words = {word.lower() for word in _WORD.findall(piece.text)}
        for word in sorted(words & CALENDAR - known_words):
            yield finding("date_unsupported", "block", f"The brief does not mention “{word.capitalize()}”.", where)
        for word in sorted(words & OFFERS.keys()):
            context = _OFFER_CONTEXT.get(word)
            is_promise = context is None or context.search(piece.text) is not None
            if is_promise and not any(proof in evidence for proof in OFFERS[word]):
                yield finding("offer_unsupported", "block", f"The brief offers nothing “{word}”.", where)
        for match in CLAIMS.finditer(piece.text):
            if match[0].lower() not in evidence:
                yield finding("claim_unsupported", "warn", f"Nothing in the brief backs “{match[0]}”.", where)
