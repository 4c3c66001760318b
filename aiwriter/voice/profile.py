"""The parts of a voice profile, and the profile that can be measured without a model.

A trait is a text ("warm") or a pair: {"is": "warm", "is_not": "gushing"}. Both are kept as they came.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from aiwriter.voice.cleaning import paragraphs_of
from aiwriter.voice.manner import Manner, class_of, marker, sentences_of

VOICE_LISTS = ("traits", "do_words", "dont_words", "style_rules", "banned_phrases")
FORMALITIES = ("", "casual", "neutral", "formal")
#: What `measured_profile` needs to say anything.
FEWEST_WORDS = 60
LONGEST_QUOTE = 200
_PAIR = re.compile(r"(?P<is>.+?)\s*(?:,|;|\s[-–—]|\bbut\b)\s*(?:but\s+)?(?:not|never)\s+(?P<is_not>.+)", re.IGNORECASE)


class Trait(NamedTuple):
    """What the brand is, and what it must not be taken for; the second may be empty."""

    is_so: str
    is_not: str


class Quote(NamedTuple):
    """Words of a sample that a part of a profile rests on."""

    part: str
    text: str
    quote: str

    def as_json(self) -> dict[str, str]:
        """Return it as it is stored with a voice."""
        return self._asdict()


def trait_of(value: Any) -> Trait:
    """Return a stored trait as a pair."""
    if isinstance(value, Mapping):
        return Trait(str(value.get("is", "")), str(value.get("is_not", "")))
    return Trait(str(value), "")


def stored_trait(trait: Trait) -> str | dict[str, str]:
    """Return a trait as it is stored."""
    return {"is": trait.is_so, "is_not": trait.is_not} if trait.is_not else trait.is_so


def typed_trait(line: str) -> Trait:
    """Return the trait that a person typed: “warm”, or “warm, never gushing”."""
    found = _PAIR.fullmatch(line.strip())
    return Trait(found["is"].strip(), found["is_not"].strip()) if found else Trait(line.strip(), "")


def trait_line(value: Any) -> str:
    """Return a stored trait as people type it."""
    trait = trait_of(value)
    return f"{trait.is_so}, never {trait.is_not}" if trait.is_not else trait.is_so


def profile_rows(profile: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return every part of a profile as lines of text, to be shown or compared."""
    rows = {name: [str(item) for item in profile.get(name, ())] for name in VOICE_LISTS if name != "traits"}
    formality = str(profile.get("formality") or "")
    return {
        "traits": [trait_line(trait) for trait in profile.get("traits", ())],
        "formality": [formality] if formality else [],
        **rows,
    }


def measured_profile(texts: Sequence[str], manner: Manner) -> tuple[dict[str, Any], list[Quote]]:
    """Return the profile that counting supports, and the words that it rests on.

    Words to avoid and banned phrases stay empty: what nobody wrote cannot be counted.
    """
    paragraphs = [paragraph for text in texts for paragraph in paragraphs_of(text)]
    traits: list[Any] = []
    rules: list[str] = []
    quotes: list[Quote] = []
    for holds, trait, rule, example in _observations(manner, paragraphs):
        if not holds:
            continue
        if trait is not None:
            traits.append(stored_trait(trait))
            quotes.append(Quote("traits", trait.is_so, example))
        if rule:
            rules.append(rule)
            quotes.append(Quote("style_rules", rule, example))
    quotes += [Quote("do_words", word, sentence_with(word, paragraphs)) for word in manner.frequent]
    profile = {
        "traits": traits,
        "do_words": list(manner.frequent),
        "dont_words": [],
        "style_rules": rules,
        "banned_phrases": [],
        "formality": class_of(manner.formality),
    }
    return profile, quotes


def _observations(manner: Manner, paragraphs: Sequence[str]) -> Iterable[tuple[bool, Trait | None, str, str]]:
    """Yield (does it hold, what it makes the brand, the rule, an example) for all that can be counted."""
    about = round(manner.words_per_sentence)
    is_enough = manner.sentences >= 5
    yield is_enough and 0 < about <= 12, Trait("brief", "long-winded"), "", sentence_near(about, paragraphs)
    yield is_enough and about >= 20, Trait("detailed", "clipped"), "", sentence_near(about, paragraphs)
    yield is_enough and about > 0, None, f"Sentences of about {about} words.", sentence_near(about, paragraphs)
    yield is_enough and manner.exclamations == 0, Trait("calm", "shouting"), "No exclamation marks.", ""
    yield manner.exclamations >= 25, Trait("lively", "flat"), "", sentence_with("!", paragraphs)
    yield is_enough and manner.emoji == 0, None, "No emoji.", ""
    yield is_enough and manner.capitals == 0, None, "No words in capitals.", ""
    yield (manner.you or 0) >= 3.5, Trait("personal", "distant"), "", _sentence_of(manner, "you", paragraphs)
    talks = (manner.contractions or 0) >= 1.5
    yield talks, Trait("conversational", "stiff"), "Use contractions.", _sentence_of(manner, "contractions", paragraphs)
    spelt_out = _sentence_of(manner, "expandable", paragraphs)
    yield is_enough and manner.contractions == 0 and bool(spelt_out), None, "No contractions.", spelt_out
    if manner.greeting:
        yield True, None, f"Greet with “{manner.greeting}”.", manner.greeting
    if manner.sign_off:
        yield True, None, f"Sign off with “{manner.sign_off}”.", manner.sign_off


def sentence_with(words: str, paragraphs: Iterable[str]) -> str:
    """Return the first sentence that has these words, '' when none has."""
    wanted = re.compile(rf"(?<!\w){re.escape(words)}" if words[:1].isalnum() else re.escape(words), re.IGNORECASE)
    return next((one[:LONGEST_QUOTE] for each in paragraphs for one in sentences_of(each) if wanted.search(one)), "")


def sentence_near(words: int, paragraphs: Iterable[str]) -> str:
    """Return the sentence whose number of words is nearest."""
    sentences = [one for each in paragraphs for one in sentences_of(each)]
    return min(sentences, key=lambda one: abs(len(one.split()) - words), default="")[:LONGEST_QUOTE]


def _sentence_of(manner: Manner, name: str, paragraphs: Iterable[str]) -> str:
    pattern = marker(manner.language, name)
    sentences = (one for each in paragraphs for one in sentences_of(each))
    return next((one[:LONGEST_QUOTE] for one in sentences if pattern and pattern.search(one)), "")
