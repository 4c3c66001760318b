"""Times of day: "19:00", "7 pm", "half past six", "halb sieben", "9.00 tot 17.00 uur", "noon"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from aiwriter.guardrails.amounts import TO, Reader, length_keys
from aiwriter.guardrails.languages import Language, language

_CLOCK_COLON = re.compile(
    r"(?<![\d.,:])(\d{1,2})(?::|\s?h\s?|\.(?=\d\d\s*(?:uhr|[ap]\.?m)))(\d{2})(?!\d)", re.IGNORECASE
)
#: "9.00 tot 17.00 uur", "kl. 16.10": a point between hours and minutes, told by the word beside it.
_CLOCK_POINT = re.compile(
    rf"(?<![\d.,:])(\d{{1,2}})\.([0-5]\d)(?=(?:{TO}\d{{1,2}}(?:\.\d\d)?)?\s*(?:uur|uhr|h|kl)\b)"
    r"|\bkl(?:ockan|\.)?\s?(\d{1,2})[.:]([0-5]\d)(?!\d)",
    re.IGNORECASE,
)
_HALF_DAY = re.compile(r"\s*(a|p)\.?m\b\.?", re.IGNORECASE)
_HOUR_12 = re.compile(r"(?<![\d.,:])(\d{1,2})\s*(a|p)\.?m\b\.?", re.IGNORECASE)
_AT = re.compile(
    r"(?:\b(?:from|at|until|till|to|between|and|ab|von|bis|um|à|de|a|das|às|las|dalle|alle|van|tot|o|kl\.?)\s)"
    r"(\d{1,2})(?![\d:%]|[.,]\d|\s?%|\s?[ap]\.?m\b)",
    re.IGNORECASE,
)


def clock_keys(hour: int, minute: int, half: str = "") -> tuple[str, ...]:
    if hour > 24 or minute > 59:
        return ()
    if half:
        hours: tuple[int, ...] = (hour % 12 + (12 if half.lower() == "p" else 0),)
    else:
        hours = (hour % 24,)
    return tuple(f"time:{each}:{minute:02}" for each in hours)


def either_half(hour: int, minute: int) -> tuple[str, ...]:
    """Return the keys of a time on a clock face: in the morning, and after noon."""
    return (*clock_keys(hour, minute), *(clock_keys(hour + 12, minute) if hour < 12 else ()))


def _read_half_hours(reader: Reader) -> None:
    """Read "half past six" and "halb sieben", with the part of the day when it follows."""
    raw = reader.spoken.raw
    parts = [("a", "|".join(raw.get("morning", []))), ("p", "|".join(raw.get("evening", [])))]
    for name, before in (("half_past", 0), ("half_to", 1)):
        for shape in raw.get(name, ()):
            found = re.compile(rf"(?<!\w){shape.replace('{h}', '(?P<hour>[0-9]{1,2})')}(?!\w)", re.IGNORECASE)
            for match in found.finditer(reader.text):
                hour, end = int(match["hour"]) - before, match.end()
                keys: tuple[str, ...] = ()
                for half, words in parts:
                    if words and (named := re.compile(rf" (?:{words})(?!\w)", re.IGNORECASE).match(reader.text, end)):
                        end, keys = named.end(), clock_keys(hour, 30, half)
                reader.add("time", match.start(), end, *(keys or either_half(hour, 30)))


def read_times(reader: Reader) -> None:
    raw, text = reader.spoken.raw, reader.text
    _read_half_hours(reader)
    for match in _CLOCK_POINT.finditer(text):
        reader.add(
            "time", match.start(), match.end(), *clock_keys(int(match[1] or match[3]), int(match[2] or match[4]))
        )
    for match in _CLOCK_COLON.finditer(text):
        named = _HALF_DAY.match(text, match.end())
        end = named.end() if named else match.end()
        keys = clock_keys(int(match[1]), int(match[2]), named[1] if named else "")
        reader.add("time", match.start(), end, *(keys or (f"number:{match[1]}",)))
    for match in _HOUR_12.finditer(text):
        reader.add("time", match.start(), match.end(), *clock_keys(int(match[1]), 0, match[2]))
    hour = "|".join(raw.get("hour", [])) or "$^"
    for match in re.finditer(rf"(?<![\d.,:])(\d{{1,2}})\s?(?:{hour})(?!\w)", text, re.IGNORECASE):
        keys = (*either_half(int(match[1]), 0), f"number:{int(match[1])}")
        lasts = length_keys(text, match.end(1), str(int(match[1])), reader.spoken)
        reader.add("time" if int(match[1]) <= 24 else "number", match.start(), match.end(), *keys, *lasts)
    for name, half in (("morning", "a"), ("evening", "p")):
        parts = "|".join(raw.get(name, [])) or "$^"
        for match in re.finditer(rf"(?<![\d.,:])(\d{{1,2}}) (?:{parts})", text, re.IGNORECASE):
            reader.add("time", match.start(), match.end(), *clock_keys(int(match[1]), 0, half))
    for name, key in (("noon", "time:12:00"), ("midnight", "time:0:00")):
        for match in reader.each(name):
            reader.add("time", match.start(), match.end(), key)


def times_named(text: str, *codes: str) -> frozenset[str]:
    """Return the full hours that a text in one of some languages names by a bare number, as in "from 10 to noon"."""
    spoken = [known for code in codes if (known := language(code)) is not None]
    return frozenset(key for match in bare_hours(text, *spoken) for key in either_half(int(match[1]), 0))


def bare_hours(text: str, *spoken: Language) -> Iterator[re.Match[str]]:
    """Yield bare numbers behind "from", "at", "until" that are not days of a month."""
    months = [pattern for each in spoken if (pattern := each.pattern("months")) is not None]
    for match in _AT.finditer(text):
        day = re.compile(r"(?:\.|st|nd|rd|th|er|º)?\s*(?:of |de |di |do )?").match(text, match.end())
        if day is None or not any(pattern.match(text, day.end()) for pattern in months):
            yield match
