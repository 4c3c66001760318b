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
from typing import Literal, get_args

from aiwriter.guardrails.languages import OFFERS, Language, any_of, language

Kind = Literal["number", "price", "percent", "date", "time", "code", "offer", "claim", "link"]
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
_WORD = re.compile(r"[^\W\d_]+")
_CODE = re.compile(r"(?<![\w-])(?=[A-Z0-9]*\d)[A-Z][A-Z0-9]{3,}(?![\w-])")
_CODE_SHAPE = r"[\s:“”\"'«»]*(?P<code>[A-Z][A-Z0-9-]{3,}[A-Z0-9])(?!\w)"
_NUMBERED_LINE = re.compile(r"(?m)^\s*\d{1,2}[.)]\s")
_NUMERIC_DATE = re.compile(r"(?<![\d.,/])(?:(\d{4})-)?(\d{1,2})([./-])(\d{1,2})(?:\3(\d{2,4})|\.)?(?![\d%/])")
_CLOCK_COLON = re.compile(
    r"(?<![\d.,:])(\d{1,2})(?::|\s?h\s?|\.(?=\d\d\s*(?:uhr|[ap]\.?m)))(\d{2})(?!\d)", re.IGNORECASE
)
_HALF_DAY = re.compile(r"\s*(a|p)\.?m\b\.?", re.IGNORECASE)
_HOUR_12 = re.compile(r"(?<![\d.,:])(\d{1,2})\s*(a|p)\.?m\b\.?", re.IGNORECASE)
_AT = re.compile(
    r"(?:\b(?:from|at|until|till|to|between|and|ab|von|bis|um|à|de|a|das|às|las|dalle|alle|van|tot|o|kl\.?)\s)"
    r"(\d{1,2})(?![\d:%]|[.,]\d|\s?%|\s?[ap]\.?m\b)",
    re.IGNORECASE,
)
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


def _clock(hour: int, minute: int, half: str = "") -> tuple[str, ...]:
    if hour > 24 or minute > 59:
        return ()
    if half:
        hours: tuple[int, ...] = (hour % 12 + (12 if half.lower() == "p" else 0),)
    else:
        hours = (hour % 24,)
    return tuple(f"time:{each}:{minute:02}" for each in hours)


def _either_half(hour: int, minute: int) -> tuple[str, ...]:
    return (*_clock(hour, minute), *(_clock(hour + 12, minute) if hour < 12 else ()))


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
    for match in reader.each("half_price"):
        reader.add("percent", match.start(), match.end(), "percent:50")
    for pattern in (_BEFORE, _AFTER):
        for match in pattern.finditer(reader.text):
            currency = CURRENCIES.get(match["currency"]) or CURRENCIES.get(match["currency"].lower(), "")
            scale = match.groupdict().get("scale") or ""
            reader.add("price", match.start(), match.end(), f"price:{currency}:{plain_number(match['number'], scale)}")


def _read_times(reader: _Reader) -> None:
    raw, text = reader.spoken.raw, reader.text
    for match in _CLOCK_COLON.finditer(text):
        named = _HALF_DAY.match(text, match.end())
        end = named.end() if named else match.end()
        keys = _clock(int(match[1]), int(match[2]), named[1] if named else "")
        reader.add("time", match.start(), end, *(keys or (f"number:{match[1]}",)))
    for match in _HOUR_12.finditer(text):
        reader.add("time", match.start(), match.end(), *_clock(int(match[1]), 0, match[2]))
    hour = "|".join(raw.get("hour", [])) or "$^"
    for match in re.finditer(rf"(?<![\d.,:])(\d{{1,2}})\s?(?:{hour})(?!\w)", text, re.IGNORECASE):
        reader.add("time", match.start(), match.end(), *_either_half(int(match[1]), 0), f"number:{int(match[1])}")
    for name, half in (("morning", "a"), ("evening", "p")):
        parts = "|".join(raw.get(name, [])) or "$^"
        for match in re.finditer(rf"(?<![\d.,:])(\d{{1,2}}) (?:{parts})", text, re.IGNORECASE):
            reader.add("time", match.start(), match.end(), *_clock(int(match[1]), 0, half))
    if past := raw.get("half_past"):
        for match in re.finditer(rf"{past} (\d{{1,2}})", text, re.IGNORECASE):
            reader.add("time", match.start(), match.end(), *_either_half(int(match[1]), 30))
    for name, key in (("noon", "time:12:00"), ("midnight", "time:0:00")):
        for match in reader.each(name):
            reader.add("time", match.start(), match.end(), key)


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
                if kind == "weekday" and _is_habit(match, text, raw.get("days_after", "")):
                    continue
                if expression in ambiguous and not (is_date and match[0][0].isupper()):
                    continue
                reader.add("date", match.start(), match.end(), f"{kind}:{number}")
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


def _is_habit(match: re.Match[str], text: str, days_after: str) -> bool:
    """Whether a weekday in the plural only paints a picture ("wet Sundays"), with nothing before it that dates."""
    is_plural = bool(days_after) and match[0].lower().endswith("s")
    return is_plural and re.search(rf"(?:{days_after})$", text[: match.start()], re.IGNORECASE) is None


@cache
def _names(expression: str, is_unspaced: bool) -> re.Pattern[str]:
    return any_of([expression], is_spaced=not is_unspaced)


def _read_numbers(reader: _Reader) -> None:
    numbered = {match.start() for match in _NUMBERED_LINE.finditer(reader.text)}
    for match in reader.each("crowds"):
        reader.add("number", match.start(), match.end(), f"number:{match[0].lower()}")
    for match in _PLAIN.finditer(reader.text):
        if any(start <= match.start() < start + 4 for start in numbered):
            continue
        reader.add(
            "number", match.start(), match.end(), f"number:{plain_number(match['number'], match['scale'] or '')}"
        )


def _read_promises(reader: _Reader) -> None:
    harmless = [match.span() for match in reader.each("not_free")]
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
    for read in (_read_codes, _read_money_and_percent, _read_times, _read_dates, _read_numbers, _read_promises):
        read(reader)
    return sorted(reader.found, key=lambda statement: (statement.start, statement.end))


def times_named(text: str) -> frozenset[str]:
    """Return the full hours that a text names by a bare number, as in "from 10 to noon"."""
    return frozenset(key for match in _AT.finditer(text) for key in _either_half(int(match[1]), 0))
