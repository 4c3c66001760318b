"""How it is written: hidden characters, spam words, shouting, length, reading ease, what must and must not be said."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from aiwriter.guardrails.findings import CheckedDraft, Finding, finding

SUBJECT_BEST = 60
SUBJECT_MOST = 150
PREVIEW_BEST = 110
SPAM_PHRASES = (
    "act now", "100% free", "100% guaranteed", "buy now", "cash bonus", "click here", "click below",
    "congratulations you", "dear friend", "double your", "earn money", "extra income", "fast cash",
    "free money", "increase sales", "make money", "miracle", "no catch", "no cost", "no obligation",
    "once in a lifetime", "order now", "risk free", "this is not spam", "urgent", "winner", "work from home",
    "you have been selected", "while supplies last", "special promotion",
)  # fmt: skip
CLICHES = (
    "unlock", "elevate", "unleash", "game-changer", "game changer", "delve", "seamless", "revolutionize",
    "in today's world", "look no further", "take it to the next level", "exciting news",
)  # fmt: skip
_WORDS = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_SENTENCE_END = re.compile(r"[.!?…]+(?:\s|$)|\n+")
_VOWELS = re.compile(r"[aeiouyàâäéèêëîïôöùûü]+", re.IGNORECASE)
#: Zero-width joiners belong to emoji and to several scripts.
ALLOWED_FORMAT_CHARACTERS = frozenset("\u200c\u200d")


def word_count(text: str) -> int:
    """Return how many words a text has."""
    return len(_WORDS.findall(text))


def reading_grade(text: str) -> int:
    """Return the Flesch-Kincaid grade (0.39 words/sentence + 11.8 syllables/word - 15.59), 1 to 18."""
    words = _WORDS.findall(text)
    if not words:
        return 1
    sentences = max(1, sum(1 for part in _SENTENCE_END.split(text) if part.strip()))
    syllables = sum(max(1, len(_VOWELS.findall(word.removesuffix("e")))) for word in words)
    grade = 0.39 * len(words) / sentences + 11.8 * syllables / len(words) - 15.59
    return min(18, max(1, round(grade)))


def check_hidden_characters(draft: CheckedDraft) -> Iterator[Finding]:
    """Invisible characters hide instructions and break filters."""
    for piece in draft:
        hidden = {
            unicodedata.name(character, f"U+{ord(character):04X}")
            for character in piece.source
            if (unicodedata.category(character) in ("Cf", "Co", "Cn") and character not in ALLOWED_FORMAT_CHARACTERS)
            or (unicodedata.category(character) == "Cc" and character not in "\n\r\t")
        }  # fmt: skip
        if hidden:
            names = ", ".join(sorted(hidden)[:3]).lower()
            yield finding("hidden_characters", "block", f"There are invisible characters: {names}.", piece.where)


def check_spam(draft: CheckedDraft) -> Iterator[Finding]:
    """Words and shouting that filters and readers dislike."""
    for piece in draft:
        lowered = piece.text.lower()
        for phrase in SPAM_PHRASES:
            if re.search(rf"\b{re.escape(phrase)}\b", lowered) and phrase not in draft.evidence.lower():
                yield finding("spam_phrase", "warn", f"“{phrase}” is typical of spam.", piece.where)
        for phrase in CLICHES:
            if re.search(rf"\b{re.escape(phrase)}", lowered) and phrase not in draft.evidence.lower():
                yield finding("cliche", "info", f"“{phrase}” is a worn phrase.", piece.where)
        shouted = [w for w in _WORDS.findall(piece.text) if len(w) > 3 and w.isupper() and w not in draft.evidence]
        if shouted:
            yield finding("shouting", "warn", f"“{shouted[0]}” is in capitals.", piece.where)
        if piece.text.count("!") > 1:
            yield finding("exclamation_marks", "warn", "More than one exclamation mark.", piece.where)


def check_length(draft: CheckedDraft) -> Iterator[Finding]:
    """Subject and preview text that inboxes would cut; a body that says nothing."""
    subject = next((piece.source for piece in draft if piece.where == "subject"), "")
    preview = next((piece.source for piece in draft if piece.where == "preview_text"), "")
    if not subject.strip():
        yield finding("subject_missing", "block", "There is no subject.", "subject")
    elif len(subject) > SUBJECT_MOST:
        yield finding("subject_too_long", "block", f"The subject has {len(subject)} characters.", "subject")
    elif len(subject) > SUBJECT_BEST:
        yield finding(
            "subject_long", "info", f"Phones show {SUBJECT_BEST} of its {len(subject)} characters.", "subject"
        )
    if not preview.strip():
        yield finding(
            "preview_missing",
            "info",
            "Without a preview text inboxes show the first words of the mail.",
            "preview_text",
        )
    elif len(preview) > PREVIEW_BEST:
        yield finding(
            "preview_long",
            "info",
            f"Inboxes show {PREVIEW_BEST} of its {len(preview)} characters.",
            "preview_text",
        )
    elif preview.strip().lower() == subject.strip().lower():
        yield finding("preview_repeats", "info", "The preview text repeats the subject.", "preview_text")
    if word_count(" ".join(piece.text for piece in draft.body)) < 5:
        yield finding("body_empty", "block", "The body says next to nothing.", "blocks")


def check_readability(draft: CheckedDraft) -> Iterator[Finding]:
    """A body that needs a school-leaving certificate; English only, the formula knows no other language."""
    text = "\n".join(piece.text for piece in draft.body)
    if draft.language.startswith("en") and word_count(text) >= 40 and (grade := reading_grade(text)) > 12:
        yield finding("hard_to_read", "info", f"Reading grade {grade}: shorter sentences would help.", "blocks")


def check_wishes(draft: CheckedDraft) -> Iterator[Finding]:
    """What the brief says must, and must not, be said."""
    text = " ".join(draft.all_text().lower().split())
    for phrase in draft.must_say:
        if phrase.strip() and " ".join(phrase.lower().split()).rstrip(".") not in text:
            yield finding("must_say_missing", "warn", f"“{phrase[:80]}” is not said.", "blocks")
    for phrase in (*draft.must_not_say, *draft.banned_phrases):
        if phrase.strip() and re.search(rf"(?<!\w){re.escape(phrase.lower().strip())}(?!\w)", text):
            yield finding("must_not_say", "block", f"“{phrase[:80]}” must not be said.", "blocks")
