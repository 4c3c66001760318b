"""Amounts in other words: lengths of time, multiples, bundles, and the two ends of a range.

"Three weeks" and "21 days" are the same length, "a quarter of an hour" is 15 minutes, "from 12 to 38 €" names two
prices, "Monday to Friday" five days, and "three nights for the price of two" is an offer of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import Protocol

from aiwriter.guardrails.findings import Kind
from aiwriter.guardrails.languages import Language, any_of, language

#: What stands between the two ends of a range, in any language.
TO = (
    r"\s*(?:-|–|—|〜|~|から|إلى|حتى|עד|\bto\b|\bthrough\b|\bthru\b|\buntil\b|\band\b|\bbis\b|\bund\b|\bà\b|\bau\b|\bet\b"
    r"|\bal?\b|\by\b|\be\b|\btot\b|\bt/m\b|\ben\b|\bdo\b|\bi\b|\baté\b|\btill\b|\boch\b|\bile\b)\s*"
)
_BETWEEN_DAYS = re.compile(rf"{TO}(?:(?:den|dem|le|la|el|il|a|zum|on)\s+)?", re.IGNORECASE)
_MONTHS = "m"
#: A weekend, and the days that make or end one.
WEEKEND = "soon:weekend"
AROUND_WEEKEND = frozenset({"weekday:5", "weekday:6", "weekday:7", "weekday:1"})
LAST_DAYS = {1: 31, 2: 29, 3: 31, 4: 30, 5: 31, 6: 30, 7: 31, 8: 31, 9: 30, 10: 31, 11: 30, 12: 31}


class Reader(Protocol):
    """What reads one text, see `statements`."""

    text: str
    spoken: Language

    def each(self, *names: str) -> Iterator[re.Match[str]]:
        """Find the expressions of some entries of the lexicon."""

    def add(self, kind: Kind, start: int, end: int, *keys: str, is_shared: bool = False) -> None:
        """Keep a statement, unless its words belong to another one."""


@cache
def _compiled(code: str, name: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return the entries of a table of the lexicon, value -> what finds it."""
    spoken = language(code)
    assert spoken is not None
    is_spaced = not spoken.raw.get("is_unspaced")
    table = spoken.raw.get(name, {})
    return tuple(
        (value, any_of([entry] if isinstance(entry, str) else entry, is_spaced=is_spaced))
        for value, entry in table.items()
    )


def length_keys(text: str, end: int, number: str, spoken: Language) -> tuple[str, ...]:
    """Return the key of the length of time that a number begins, in minutes or months: `lasts:1440`, `lasts:12m`."""
    gap = re.compile(r"[\s-]*").match(text, end)
    at = gap.end() if gap else end
    if not number.isdigit():
        return ()
    for factor, unit in _compiled(spoken.code, "lengths"):
        if unit.match(text, at):
            is_months = factor.startswith(_MONTHS)
            return (f"lasts:{int(number) * int(factor.lstrip(_MONTHS))}{_MONTHS if is_months else ''}",)
    return ()


def read_part_hours(reader: Reader) -> None:
    """Read "a quarter of an hour" and its like as minutes."""
    for minutes, pattern in _compiled(reader.spoken.code, "part_hours"):
        for match in pattern.finditer(reader.text):
            reader.add("number", match.start(), match.end(), f"number:{minutes}", f"lasts:{minutes}")


def read_fractions(reader: Reader) -> None:
    """Read "a quarter off" and its like as percentages."""
    for percent, pattern in _compiled(reader.spoken.code, "fractions"):
        for match in pattern.finditer(reader.text):
            reader.add("percent", match.start(), match.end(), f"percent:{percent}")


def read_multiples(reader: Reader) -> None:
    """Read "doubles every gift", "three times as far"."""
    for times, pattern in _compiled(reader.spoken.code, "multiples"):
        for match in pattern.finditer(reader.text):
            reader.add("number", match.start(), match.end(), f"times:{times}")


def read_bundles(reader: Reader) -> None:
    """Read "three for the price of two", "stay three nights and pay for two": so many, paid as so many."""
    for pattern in _bundle_patterns(reader.spoken.code):
        for match in pattern.finditer(reader.text):
            got, paid = _small(match["n"], reader.spoken), _small(match["m"], reader.spoken)
            if got is not None and paid is not None and got > paid:
                reader.add("offer", match.start(), match.end(), f"bundle:{got}:{paid}", is_shared=True)


@cache
def _bundle_patterns(code: str) -> tuple[re.Pattern[str], ...]:
    spoken = language(code)
    assert spoken is not None
    small = sorted((word for word, value in spoken.numbers.items() if 0 < value <= 10), key=len, reverse=True)
    number = "|".join([r"\d{1,2}", *map(re.escape, small), *_ONES])
    shapes = [*spoken.raw.get("bundle", []), "{n} ?x ?{m}(?! ?\\d)"]
    filled = (shape.replace("{n}", f"(?P<n>{number})").replace("{m}", f"(?P<m>{number})") for shape in shapes)
    return tuple(re.compile(rf"(?<!\w)(?:{shape})(?!\w)", re.IGNORECASE) for shape in filled)


#: "One" is too common to be read as a number elsewhere.
_ONES = ("one", "eine[mns]?", "une?", "un[ao]?", "één", "een", "jedne(?:go|j)", "uma?", "ett?", "en", "bir")


def _small(word: str, spoken: Language) -> int | None:
    if word.isdigit():
        return int(word)
    if any(re.fullmatch(one, word, re.IGNORECASE) for one in _ONES):
        return 1
    return spoken.numbers.get(word.lower())


def day_range_keys(text: str, days: Sequence[tuple[int, int, int]]) -> Iterator[str]:
    """Yield what a text says by naming two weekdays: how far apart they are; as a range also the days between.

    Args:
        days: the weekdays that it names, as start, end and number (Monday is 1), in reading order.
    """
    for (_, end, first), (start, _, last) in pairwise(days):
        yield f"lasts:{(last - first) % 7 * 1440}"
        if _BETWEEN_DAYS.fullmatch(text[end:start]) and not re.fullmatch(
            r"\s*(?:and|und|et|y|e|en|i|och|ve)\s*", text[end:start]
        ):
            between = [(first - 1 + step) % 7 + 1 for step in range((last - first) % 7 + 1)]
            yield from (f"weekday:{day}" for day in between)
            yield from _so_many_days(len(between))


_DATES = re.compile(rf"(?<![\d.,:€$£])(\d{{1,2}})(?:st|nd|rd|th|\.)?{TO}(\d{{1,2}})(?![\d:%]|[.,]\d)", re.IGNORECASE)


def date_range_keys(text: str) -> Iterator[str]:
    """Yield the days between the ends of ranges such as "July 17–19", and how many days they are."""
    for match in _DATES.finditer(text):
        first, last = int(match[1]), int(match[2])
        if 1 <= first < last <= 31:
            yield from (f"value:{day}" for day in range(first, last + 1))
            yield from _so_many_days(last - first + 1)


def _so_many_days(count: int) -> Iterator[str]:
    yield f"value:{count}"
    yield f"lasts:{count * 1440}"
    if count >= 6:
        yield f"lasts:{round(count / 7) * 10080}"
