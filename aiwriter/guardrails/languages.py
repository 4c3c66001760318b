"""What the checks know of each language: number words, calendar, offers and claims, as data in `lexicon/*.json`.

Every entry of a list is a regular expression without groups of its own; whole words only, where a script has them.
"""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "lexicon"
#: What the reader may be promised. `support` below says what besides itself allows a promise.
OFFERS = (
    "free", "gift", "voucher", "discount", "sale", "bogo", "refund", "guarantee", "warranty", "giveaway", "cashback",
    "trial",
)  # fmt: skip
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
#: Fewer words than this are too few to tell a language by.
FEWEST_WORDS = 8


@dataclass(frozen=True)
class Language:
    """One language, ready to be searched for."""

    code: str
    raw: dict[str, Any]
    numbers: dict[str, int]
    stop_words: frozenset[str]
    script: str

    def pattern(self, *names: str) -> re.Pattern[str] | None:
        """Return what finds any expression of these entries; None when the language has none."""
        return _pattern(self.code, names)


def _compounds(numbers: dict[str, int], how: str) -> dict[str, int]:
    """Return number words that a language writes as one: fünfundzwanzig, tweeëntwintig, tjugofem, venticinque."""
    units = {word: value for word, value in numbers.items() if 0 < value < 10}
    tens = {word: value for word, value in numbers.items() if 20 <= value < 100}
    made: dict[str, int] = {}
    for ten, ten_value in tens.items():
        for unit, unit_value in units.items():
            value = ten_value + unit_value
            if how == "unit und ten":
                made[f"{'ein' if unit == 'eins' else unit}und{ten}"] = value
            elif how == "unit en ten":
                made[f"{unit}{'ën' if unit.endswith('e') else 'en'}{ten}"] = value
            else:
                made[f"{ten}{unit}"] = value
    return made


@cache
def language(code: str) -> Language | None:
    """Return a language by its code (`de`, `pt-BR`); None when there is no lexicon of it."""
    name = code.lower().replace("_", "-").split("-")[0]
    if name not in known_languages():
        return None
    raw = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    numbers = dict(raw["numbers"])
    numbers |= _compounds(numbers, raw.get("compound", "")) if raw.get("compound") else {}
    return Language(name, raw, numbers, frozenset(raw["stop_words"].split()), raw.get("script", "LATIN"))


@cache
def known_languages() -> tuple[str, ...]:
    """Return the codes of all languages."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.json")))


@cache
def _pattern(code: str, names: tuple[str, ...]) -> re.Pattern[str] | None:
    chosen = language(code)
    assert chosen is not None
    found: list[str] = []
    for name in names:
        entry = chosen.raw.get(name, [])
        found += [entry] if isinstance(entry, str) and entry else list(entry)
    return any_of(found, is_spaced=not chosen.raw.get("is_unspaced")) if found else None


def any_of(expressions: list[str], *, is_spaced: bool = True) -> re.Pattern[str]:
    """Return what finds any of some expressions, as whole words where the script has spaces."""
    either = "|".join(f"(?:{expression})" for expression in expressions)
    return re.compile(rf"(?<!\w)(?:{either})(?!\w)" if is_spaced else f"(?:{either})", re.IGNORECASE)


def _script_of(letter: str) -> str:
    name = unicodedata.name(letter, "")
    return "CJK" if name.startswith(("CJK", "HIRAGANA", "KATAKANA")) else name.split(" ", 1)[0]


def _shares(words: list[str]) -> dict[str, float]:
    """Language code -> which share of the words are its stop words."""
    return {
        code: sum(word in spoken.stop_words for word in words) / len(words)
        for code in known_languages()
        if (spoken := language(code)) is not None and spoken.stop_words
    }


def other_language(text: str, asked: str) -> str | None:
    """Return the code of the language that a text is in when that is surely not the one asked for, else None.

    Scripts decide first, then the most frequent words of each language. What is too short, or in a language without a
    lexicon, is left alone.
    """
    wanted = language(asked)
    letters = [letter for letter in text if letter.isalpha()]
    if wanted is None or len(letters) < 20:
        return None
    scripts = [_script_of(letter) for letter in letters]
    if wanted.script != "LATIN":
        if scripts.count(wanted.script) >= 0.3 * len(scripts):
            return None
        common = max(set(scripts), key=scripts.count)
        return next((code for code in known_languages() if _in_script(code, common) and code != wanted.code), common)
    if scripts.count("LATIN") < 0.5 * len(scripts):
        common = max(set(scripts), key=scripts.count)
        return next((code for code in known_languages() if _in_script(code, common)), common.lower())
    words = [word.lower().replace("’", "'") for word in _WORD.findall(text)]
    if len(words) < FEWEST_WORDS:
        return None
    shares = _shares(words)
    best = max(shares, key=lambda code: shares[code])
    is_sure = shares[best] >= 0.2 and shares[best] >= 2.5 * shares[wanted.code] + 0.05
    return best if best != wanted.code and is_sure else None


def _in_script(code: str, script: str) -> bool:
    spoken = language(code)
    return spoken is not None and spoken.script == script
