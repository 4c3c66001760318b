"""What a text states: numbers, prices, percentages, dates, times, codes, offers and claims.

A statement has a key that is the same for every way to say it ("twenty percent", "20 %", "zwanzig Prozent" are
`percent:20`), so that a draft can be held against a brief in other words or in another language.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args

from aiwriter.guardrails.amounts import (
    TO,
    WEEKEND,
    length_keys,
    read_bundles,
    read_fractions,
    read_multiples,
    read_part_hours,
)
from aiwriter.guardrails.clock import bare_hours, either_half, read_times
from aiwriter.guardrails.findings import Kind
from aiwriter.guardrails.languages import OFFERS, Language, any_of, language

KINDS: tuple[Kind, ...] = get_args(Kind)

#: How money is written -> its code. The longest is tried first.
CURRENCIES = {
    "US$": "usd", "$": "usd", "usd": "usd", "dollars": "usd", "dollar": "usd", "€": "eur", "eur": "eur", "euros": "eur",
    "euro": "eur", "£": "gbp", "gbp": "gbp", "pounds": "gbp", "pound": "gbp", "chf": "chf", "kr": "kr", "kronor": "kr",
    "sek": "kr", "nok": "kr", "dkk": "kr", "zł": "pln", "złotych": "pln", "pln": "pln", "₺": "try", "tl": "try",
    "lira": "try", "₪": "ils", "שקל": "ils", "ש״ח": "ils", "円": "jpy", "¥": "jpy", "jpy": "jpy", "ريال": "sar",
    "درهم": "aed", "R$": "brl", "reais": "brl", "₹": "inr",
}  # fmt: skip
_NUMBER = r"\d{1,3}(?:[ ,.'’\u202f]\d{3})+(?!\d)(?:[.,]\d{1,2})?|\d+(?:[.,]\d+)?"
_CUT_OFF = r"(?<![\d.,A-Za-z])"
_MONEY = "|".join(re.escape(name) for name in sorted(CURRENCIES, key=len, reverse=True))
_BEFORE = re.compile(rf"(?P<currency>{_MONEY})\s?(?P<number>{_NUMBER})(?P<scale>k|m|bn)?(?![A-Za-z\d])", re.IGNORECASE)
_AFTER = re.compile(rf"{_CUT_OFF}(?P<number>{_NUMBER})\s?[-–]?(?P<currency>{_MONEY})(?![a-zäöüßéèłż])", re.IGNORECASE)
_PLAIN = re.compile(
    rf"(?<![A-Za-zÀ-ž\d_#/])(?P<number>{_NUMBER})(?P<scale>k(?!\w)|\s(?:million|mio)\b)?", re.IGNORECASE
)
#: "From 12 to 38 €", "20 bis 30 %": the sign belongs to both ends.
_RANGE_AFTER = re.compile(
    rf"{_CUT_OFF}(?P<number>{_NUMBER})(?={TO}(?:{_NUMBER})\s?[-–]?(?P<currency>{_MONEY}|%)(?![a-zäöüßéèłż]))",
    re.IGNORECASE,
)
_RANGE_BEFORE = re.compile(
    rf"(?P<currency>{_MONEY})\s?(?:{_NUMBER}){TO}(?P<number>{_NUMBER})(?![A-Za-z\d%])", re.IGNORECASE
)
_WORD = re.compile(r"[^\W\d_]+")
_CODE = re.compile(r"(?<![\w-])(?=[A-Z0-9]*\d)[A-Z][A-Z0-9]{3,}(?![\w-])")
_CODE_SHAPE = r"[\s:“”\"'«»]*(?P<code>[A-Z][A-Z0-9-]{3,}[A-Z0-9])(?!\w)"
_NUMBERED_LINE = re.compile(r"(?m)^\s*\d{1,2}[.)]\s")
_NUMERIC_DATE = re.compile(r"(?<![\d.,/])(?:(\d{4})-)?(\d{1,2})([./-])(\d{1,2})(?:\3(\d{2,4})|\.)?(?![\d%/])")
#: Web and mail addresses are links, whatever digits stand in them.
_ADDRESS = re.compile(r"https?://\S+|www\.\S+|\S+@\S+\.\w+", re.IGNORECASE)
_TENTHS_OFF = re.compile(r"(\d)割")


@dataclass(frozen=True)
class Statement:
    """Something that has to be true: its words as they stand, what kind it is, and every key that supports it."""

    kind: Kind
    text: str
    keys: frozenset[str]
    start: int
    end: int


class _Reader:
    """Reads one text; what one rule has understood is not read again by the next."""

    def __init__(self, text: str, spoken: Language) -> None:
        self.original = text
        self.spoken = spoken
        self.text, self.starts, self.ends = _with_digits(_same_digits(text), spoken)
        self.taken: list[tuple[int, int]] = []
        self.found: list[Statement] = []

    def add(self, kind: Kind, start: int, end: int, *keys: str, is_shared: bool = False) -> None:
        if not is_shared:
            if any(start < until and end > since for since, until in self.taken):
                return
            self.taken.append((start, end))
        since, until = self.starts[start], self.ends[end - 1]
        words = " ".join(self.original[since:until].split())
        self.found.append(Statement(kind, words.strip(" ,.;:"), frozenset(keys), since, until))

    def each(self, *names: str) -> Iterator[re.Match[str]]:
        pattern = self.spoken.pattern(*names)
        yield from pattern.finditer(self.text) if pattern else ()


def _same_digits(text: str) -> str:
    """Return a text of the same length with every digit as 0 to 9, and signs of full width as plain ones."""
    plain = []
    for sign in text:
        value = unicodedata.decimal(sign, None)
        folded = unicodedata.normalize("NFKC", sign)
        plain.append(str(value) if value is not None else {"٪": "%", "٬": ",", "٫": "."}.get(sign, folded[:1] or sign))
    return "".join(plain)


def _with_digits(text: str, spoken: Language) -> tuple[str, list[int], list[int]]:
    """Return a text with its number words as digits, and where what each character stands for begins and ends.

    Small words ("one", "two", "three") stay words unless what they count is a unit: "two reasons", but "2 days".
    """
    words = list(_WORD.finditer(text))
    units = re.compile(rf"[\s-]+(?:left\b|{'|'.join(spoken.raw['units'].split()) or '$^'})", re.IGNORECASE)
    percent = spoken.pattern("percent")
    of_percent = {place for found in (percent.finditer(text) if percent else ()) for place in range(*found.span())}
    words = [word for word in words if word.start() not in of_percent]
    made: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at = index = 0
    while index < len(words):
        last, value = _number_at(words, index, text, spoken)
        if value is None:
            index += 1
            continue
        start, end = words[index].start(), words[last].end()
        is_counted = value > 3 or (value > 1 and units.match(text, end)) or (value == 1 and last > index)
        if is_counted or spoken.raw.get("is_unspaced"):
            made.append(text[at:start])
            digits = str(value)
            made.append(digits)
            starts += [*range(at, start), *[start] * len(digits)]
            ends += [*range(at + 1, start + 1), *[end] * len(digits)]
            at = end
        index = last + 1
    made.append(text[at:])
    starts += range(at, len(text))
    ends += range(at + 1, len(text) + 1)
    return "".join(made), starts, ends


def _number_at(words: list[re.Match[str]], index: int, text: str, spoken: Language) -> tuple[int, int | None]:
    """Return the last word and the value of the number that begins at a word; None when there is none."""
    first = spoken.numbers.get(words[index][0].lower())
    if first is None:
        return index, None
    total, group = (first, 0) if first >= 1000 else (0, first)
    last = index
    scan = index + 1
    while scan < len(words):
        word = words[scan][0].lower()
        gap = text[words[scan - 1].end() : words[scan].start()]
        if not re.fullmatch(r"[\s-]+", gap):
            break
        value = spoken.numbers.get(word)
        if value is None and group >= 20 and group % 10 == 0:
            value = spoken.raw.get("units_after_tens", {}).get(word)
        if value is None:
            follows = spoken.numbers.get(words[scan + 1][0].lower()) if scan + 1 < len(words) else None
            if word in spoken.raw["joiners"] and follows is not None and follows < 100 and (group >= 20 or total):
                scan += 1
                continue
            break
        if value >= 1000:
            total, group = total + max(group, 1) * value, 0
        elif value == 100:
            group = max(group, 1) * 100
        elif value == 20 and group == 4 and spoken.code == "fr":
            group = 80
        elif group % 100 == 0 or (group % 10 == 0 and value < 20 and group % 100 >= 20) or (total and not group):
            group += value
        else:
            break
        last = scan
        scan += 1
    return last, total + group


def plain_number(raw: str, scale: str = "") -> str:
    """Return a number in one notation: `1,450`, `1 450` and `1450.0` are `1450`."""
    digits = re.sub(r"[ ,.'’\u202f](?=\d{3}(?:\D|$))", "", raw).replace(",", ".")
    if scale.strip().lower() in ("k", "m", "million", "mio", "bn"):
        factor = {"k": 1000, "bn": 1_000_000_000}.get(scale.strip().lower(), 1_000_000)
        return f"{float(digits) * factor:.0f}"
    whole, _, part = digits.partition(".")
    part = part.rstrip("0")
    return f"{whole.lstrip('0') or '0'}{'.' if part else ''}{part}"


def _read_codes(reader: _Reader) -> None:
    introduced = reader.spoken.raw.get("code_words", [])
    names = "|".join([*introduced, "code", "use"])
    after = re.compile(rf"(?<!\w)(?i:{names})(?:\s(?i:the|code|den|le|el|il|o|de))*{_CODE_SHAPE}")
    for pattern in (after, _CODE):
        for match in pattern.finditer(reader.text):
            group = "code" if pattern is after else 0
            reader.add("code", match.start(group), match.end(group), f"code:{match[group].upper()}")


def _read_money_and_percent(reader: _Reader) -> None:
    signs = "|".join(["%", *reader.spoken.raw.get("percent", [])])
    for match in re.finditer(rf"{_CUT_OFF}({_NUMBER})\s?-?(?:{signs})(?![a-z])", reader.text, re.IGNORECASE):
        reader.add("percent", match.start(), match.end(), f"percent:{plain_number(match[1])}")
    before = "|".join(["%", *reader.spoken.raw.get("percent_before", [])])
    for match in re.finditer(rf"(?:{before})\s?({_NUMBER})", reader.text, re.IGNORECASE):
        reader.add("percent", match.start(), match.end(), f"percent:{plain_number(match[1])}")
    for match in _TENTHS_OFF.finditer(reader.text):
        reader.add("percent", match.start(), match.end(), f"percent:{match[1]}0")
    read_fractions(reader)
    for match in reader.each("half_price"):
        reader.add("percent", match.start(), match.end(), "percent:50")
    for match in _RANGE_AFTER.finditer(reader.text):
        if match["currency"] == "%":
            reader.add("percent", match.start(), match.end(), f"percent:{plain_number(match['number'])}")
    for pattern in (_BEFORE, _AFTER, _RANGE_AFTER, _RANGE_BEFORE):
        for match in pattern.finditer(reader.text):
            start, end = match.span("number") if pattern is _RANGE_BEFORE else match.span()
            currency = CURRENCIES.get(match["currency"]) or CURRENCIES.get(match["currency"].lower(), "")
            scale = match.groupdict().get("scale") or ""
            if currency:
                reader.add("price", start, end, f"price:{currency}:{plain_number(match['number'], scale)}")


_NEAR_DATE = re.compile(
    r"(?:\b(?:in|until|till|by|of|since|this|next|last|early|late|mid|end of)\s|\d(?:st|nd|rd|th)?\s)$", re.IGNORECASE
)


def _read_dates(reader: _Reader) -> None:
    raw, text = reader.spoken.raw, reader.text
    ambiguous = set(raw.get("ambiguous_months", ()))
    for kind, names in (("month", raw["months"]), ("weekday", raw["weekdays"])):
        for number, expression in enumerate(names, start=1):
            for match in _names(expression, bool(raw.get("is_unspaced"))).finditer(text):
                is_date = _NEAR_DATE.search(text[: match.start()]) or re.match(r"\s\d", text[match.end() :])
                if kind == "weekday" and _is_habit(match, text, raw):
                    continue
                if expression in ambiguous and not (is_date and match[0][0].isupper()):
                    continue
                before = (f"before:{number}",) if kind == "month" and _is_before(reader, match.start()) else ()
                reader.add("date", match.start(), match.end(), f"{kind}:{number}", *before)
    for match in reader.each("weekend"):
        reader.add("date", match.start(), match.end(), WEEKEND)
    for match in reader.each("soon"):
        reader.add("date", match.start(), match.end(), f"soon:{match[0].lower()}")
    for match in _NUMERIC_DATE.finditer(text):
        first, second = int(match[2]), int(match[4])
        if match[3] == "." and not match[5] and not match[0].endswith("."):
            continue
        if match[3] == "-" and not match[1]:
            continue
        orders = [(first, second), (second, first)]
        keys = [f"day:{day}.{month}" for day, month in orders if 1 <= month <= 12 and 1 <= day <= 31]
        if keys:
            reader.add("date", match.start(), match.end(), *keys)


def _is_before(reader: _Reader, start: int) -> bool:
    """Whether "before" stands in front of a place: "before December" is as good as "by November 30"."""
    words = "|".join(reader.spoken.raw.get("before", [])) or "$^"
    return re.search(rf"(?<!\w)(?:{words})(?: \w{{2,3}})? $", reader.text[:start], re.IGNORECASE) is not None


def _is_habit(match: re.Match[str], text: str, raw: dict[str, Any]) -> bool:
    """Whether a weekday only paints a picture: "wet Sundays" with nothing before it that dates, or "on a Sunday"."""
    before, articles = text[: match.start()], "|".join(raw.get("a_day", [])) or "$^"
    if re.search(rf"(?<!\w)(?:{articles})\s$", before, re.IGNORECASE) and not re.match(r",?\s\d", text[match.end() :]):
        return True
    days_after = raw.get("days_after", "")
    is_plural = bool(days_after) and match[0].lower().endswith("s")
    return is_plural and re.search(rf"(?:{days_after})$", before, re.IGNORECASE) is None


@cache
def _names(expression: str, is_unspaced: bool) -> re.Pattern[str]:
    return any_of([expression], is_spaced=not is_unspaced)


def _read_numbers(reader: _Reader) -> None:
    numbered = {match.start() for match in _NUMBERED_LINE.finditer(reader.text)}
    after_at = {match.start(1) for match in bare_hours(reader.text, reader.spoken)}
    read_part_hours(reader)
    read_multiples(reader)
    for match in reader.each("crowds"):
        reader.add("number", match.start(), match.end(), f"number:{match[0].lower()}")
    for match in _PLAIN.finditer(reader.text):
        if any(start <= match.start() < start + 4 for start in numbered):
            continue
        value = plain_number(match["number"], match["scale"] or "")
        lasts = length_keys(reader.text, match.end("number"), value, reader.spoken)
        hours = () if lasts or match.start() not in after_at else either_half(int(match["number"]), 0)
        reader.add("number", match.start(), match.end(), f"number:{value}", *lasts, *hours)


def _read_promises(reader: _Reader) -> None:
    harmless = [match.span() for match in reader.each("not_free")]
    read_bundles(reader)
    for offer in OFFERS:
        for match in reader.each(offer):
            if offer == "free" and any(since <= match.start() < until for since, until in harmless):
                continue
            reader.add("offer", match.start(), match.end(), f"offer:{offer}", is_shared=True)
    for group, is_soft in (("claims", False), ("soft_claims", True)):
        for name, expressions in reader.spoken.raw.get(group, {}).items():
            pattern = _claim_pattern(tuple(expressions), bool(reader.spoken.raw.get("is_unspaced")))
            for match in pattern.finditer(reader.text):
                key = f"{'soft' if is_soft else 'claim'}:{name}"
                reader.add("claim", match.start(), match.end(), key, is_shared=True)


@cache
def _claim_pattern(expressions: tuple[str, ...], is_unspaced: bool) -> re.Pattern[str]:
    return any_of(list(expressions), is_spaced=not is_unspaced)


def read_statements(text: str, language_code: str) -> list[Statement]:
    """Return what a text states, in reading order.

    Args:
        language_code: whose words are read; one without a lexicon is read as English, where only digits will be found.
    """
    spoken = language(language_code) or language("en")
    assert spoken is not None
    reader = _Reader(text, spoken)
    if not reader.text:
        return []
    reader.taken += [match.span() for match in _ADDRESS.finditer(reader.text)]
    for read in (_read_codes, _read_money_and_percent, read_times, _read_dates, _read_numbers, _read_promises):
        read(reader)
    return sorted(reader.found, key=lambda statement: (statement.start, statement.end))
