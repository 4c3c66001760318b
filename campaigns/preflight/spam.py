"""Words and manners that filters and readers dislike. A hint, never a block."""

from __future__ import annotations

import re
from collections.abc import Iterator

from campaigns.preflight.examined import Examined
from campaigns.preflight.finding import Finding, Severity

PHRASES = (
    "100% free",
    "act now",
    "as seen on",
    "cash bonus",
    "click here",
    "congratulations you",
    "double your",
    "earn money",
    "free money",
    "guaranteed winner",
    "limited time only",
    "make money fast",
    "million dollars",
    "no obligation",
    "no risk",
    "once in a lifetime",
    "order now",
    "prize",
    "risk-free",
    "this is not spam",
    "urgent",
    "winner",
    "you have been selected",
    "you won",
)
_PHRASE = re.compile(r"(?<!\w)(" + "|".join(re.escape(phrase) for phrase in PHRASES) + r")(?!\w)", re.IGNORECASE)
_TAG = re.compile(r"\{\{.*?\}\}")


def find(examined: Examined) -> Iterator[Finding]:
    """Find risky phrases, subjects in capitals, and rows of exclamation marks."""
    for label, compiled in examined.compiled.items():
        where = examined.naming(label)
        subject = _TAG.sub("", compiled.subject)
        found = sorted({match.lower() for match in _PHRASE.findall(f"{subject}\n{compiled.text}")})
        if found:
            listed = ", ".join(f"“{phrase}”" for phrase in found[:4])
            yield Finding(
                "spam_phrases",
                Severity.INFO,
                f"Phrases that filters dislike{where}: {listed}",
                examined.composer,
                detail="One of them does no harm; several together do.",
            )
        letters = [letter for letter in subject if letter.isalpha()]
        if len(letters) > 8 and sum(letter.isupper() for letter in letters) > 0.7 * len(letters):
            yield Finding("subject_capitals", Severity.WARN, f"The subject{where} is in capitals", examined.composer)
        if "!!" in subject or subject.count("!") > 2:
            yield Finding(
                "subject_exclamations",
                Severity.WARN,
                f"The subject{where} has many exclamation marks",
                examined.composer,
            )
