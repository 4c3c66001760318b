"""How it is written: hidden characters, spam words, shouting, length, reading ease, what must and must not be said."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from aiwriter.guardrails.findings import CheckedDraft, Finding, Piece, remark
from aiwriter.guardrails.hidden import without_hidden
from aiwriter.guardrails.languages import language

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
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_SENTENCE_END = re.compile(r"[.!?…]+(?:\s|$)|\n+")
_VOWELS = re.compile(r"[aeiouyàâäéèêëîïôöùûü]+", re.IGNORECASE)
_LEFTOVERS = re.compile(
    r"\bas an? (?:ai|artificial intelligence)\b|\b(?:large )?language model\b|\bals ki(?:-modell)?\b"
    r"|\ben tant qu['’]ia\b"
    r"|\bmodelo de lenguaje\b"
    r"|\bhere(?:['’]s| is) (?:the|your|a) (?:\w+ )?(?:email|e-mail|draft|subject line|newsletter)\b"
    r"|\blorem ipsum\b|\b(?:TODO|TBD|FIXME|XXX+)\b|^\s*(?:subject|betreff|objet|preheader)(?: line)?\s*:"
    r"|\bignore (?:all )?(?:the )?(?:previous|prior|above) instructions\b|\bsystem prompt\b|\[insert\b[^\]]*\]?"
    r"|\b(?:i cannot|i can['’]t) (?:help|assist|comply) with\b|\bDATA-[0-9a-f]{16}\b"
    r"|</?(?:script|style|iframe|object|embed|form)\b",
    re.IGNORECASE | re.MULTILINE,
)
#: Notes in brackets, such as "[Add photo here]"; a link's words in Markdown are not.
_BRACKETS = re.compile(r"\[(?=[^\]\n]*[^\W\d_]{2})[^\[\]\n]{3,80}\](?!\()")
_MARKDOWN = re.compile(r"\*\*[^*\n]{1,80}\*\*|^#{1,4} \w|\[[^\]\n]{1,60}\]\(https?://|```", re.MULTILINE)
#: A flag such as Scotland's: a black flag and letters that nobody sees.
_FLAG = re.compile("\U0001f3f4[\U000e0020-\U000e007f]+")
#: Marks that texts from right to left need.
DIRECTION_MARKS = frozenset("\u200e\u200f\u061c\u2066\u2067\u2068\u2069")
#: Zero-width joiners belong to emoji and to several scripts.
ALLOWED_FORMAT_CHARACTERS = frozenset("\u200c\u200d")


def word_count(text: str) -> int:
    """Return how many words a text has; Japanese and Chinese write none apart, two signs count as one."""
    unspaced = len(_UNSPACED.findall(text))
    return len(_WORDS.findall(_UNSPACED.sub(" ", text))) + unspaced // 2


def reading_grade(text: str) -> int:
    """Return the Flesch-Kincaid grade (0.39 words/sentence + 11.8 syllables/word - 15.59), 1 to 18."""
    words = _WORDS.findall(text)
    if not words:
        return 1
    sentences = max(1, sum(1 for part in _SENTENCE_END.split(text) if part.strip()))
    syllables = sum(max(1, len(_VOWELS.findall(word.removesuffix("e")))) for word in words)
    grade = 0.39 * len(words) / sentences + 11.8 * syllables / len(words) - 15.59
    return min(18, max(1, round(grade)))


def _is_hidden(character: str, is_right_to_left: bool) -> bool:
    if unicodedata.category(character) == "Cc":
        return character not in "\n\r\t"
    if is_right_to_left and character in DIRECTION_MARKS:
        return False
    return unicodedata.category(character) in ("Cf", "Co") and character not in ALLOWED_FORMAT_CHARACTERS


def check_hidden_characters(draft: CheckedDraft) -> Iterator[Finding]:
    """Invisible characters hide instructions and break filters; so do look-alike letters and words out of sight."""
    for piece in draft:
        source = _FLAG.sub("", piece.source)
        is_right_to_left = any(unicodedata.bidirectional(character) in ("R", "AL") for character in source)
        hidden = {
            unicodedata.name(character, f"U+{ord(character):04X}")
            for character in source
            if not character.isprintable() and _is_hidden(character, is_right_to_left)
        }
        if hidden:
            names = ", ".join(sorted(hidden)[:3]).lower()
            yield remark("hidden_characters", f"There are invisible characters: {names}.", piece.where)
        if mixed := next((word for word in _WORDS.findall(piece.text) if _mixes_scripts(word)), ""):
            yield remark("hidden_characters", f"“{mixed}” mixes letters of two alphabets.", piece.where)
        if without_hidden(piece.source)[1]:
            yield remark("hidden_text", "There are words that readers cannot see.", piece.where)


def _mixes_scripts(word: str) -> bool:
    scripts = {unicodedata.name(letter, "").split(" ", 1)[0] for letter in word}
    return "LATIN" in scripts and not scripts.isdisjoint(("CYRILLIC", "GREEK"))


def check_leftovers(draft: CheckedDraft) -> Iterator[Finding]:
    """Words that the writer said to its client, and notes to oneself."""
    for piece in draft:
        if left := _LEFTOVERS.search(piece.text):
            yield remark("leftover_text", f"“{left[0][:60]}” is not meant for readers.", piece.where)
        elif note := _note_or_preamble(piece, draft):
            yield remark("leftover_text", f"“{note[:60]}” is not meant for readers.", piece.where)
        if left := _MARKDOWN.search(piece.text):
            yield remark("markdown_left", f"“{left[0][:40]}” would be printed with its signs.", piece.where)


def _note_or_preamble(piece: Piece, draft: CheckedDraft) -> str:
    """Return a note in brackets, or what a helpful writer says before it begins ("Sure! Here is …"); else ''."""
    for note in _BRACKETS.finditer(piece.text):
        if note[0].lower() not in draft.evidence_text:
            return note[0]
    spoken = language(draft.language) or language("en")
    openers = "|".join(spoken.raw.get("preamble", []) if spoken else []) or "$^"
    here = r"(?:here(?:['’]s| is| are)|hier (?:ist|sind|is|zijn)|voici|aqu[íi]|ecco|här (?:är|kommer)|oto|işte)"
    opened = re.match(rf"\s*(?:{openers})\s*[!,.:、。،]\s*{here}\b[^.!?\n]{{0,60}}[:!.]", piece.text, re.IGNORECASE)
    return opened[0].strip() if opened else ""


def check_spam(draft: CheckedDraft) -> Iterator[Finding]:
    """Words and shouting that filters and readers dislike."""
    for piece in draft:
        lowered = piece.text.lower()
        for phrase in SPAM_PHRASES:
            if re.search(rf"\b{re.escape(phrase)}\b", lowered) and phrase not in draft.evidence_text:
                yield remark("spam_phrase", f"“{phrase}” is typical of spam.", piece.where)
        for phrase in CLICHES:
            if re.search(rf"\b{re.escape(phrase)}", lowered) and phrase not in draft.evidence_text:
                yield remark("cliche", f"“{phrase}” is a worn phrase.", piece.where)
        shouted = [w for w in _WORDS.findall(piece.text) if len(w) > 3 and w.isupper() and w not in draft.evidence.text]
        if shouted:
            yield remark("shouting", f"“{shouted[0]}” is in capitals.", piece.where)
        if piece.text.count("!") > 1:
            yield remark("exclamation_marks", "More than one exclamation mark.", piece.where)


def check_length(draft: CheckedDraft) -> Iterator[Finding]:
    """Subject and preview text that inboxes would cut; a body that says nothing."""
    subject = next((piece.source for piece in draft if piece.where == "subject"), "")
    preview = next((piece.source for piece in draft if piece.where == "preview_text"), "")
    if not subject.strip():
        yield remark("subject_missing", "There is no subject.", "subject")
    elif len(subject) > SUBJECT_MOST:
        yield remark("subject_too_long", f"The subject has {len(subject)} characters.", "subject")
    elif len(subject) > SUBJECT_BEST:
        yield remark("subject_long", f"Phones show {SUBJECT_BEST} of its {len(subject)} characters.", "subject")
    if not preview.strip():
        yield remark(
            "preview_missing",
            "Without a preview text inboxes show the first words of the mail.",
            "preview_text",
        )
    elif len(preview) > PREVIEW_BEST:
        yield remark(
            "preview_long",
            f"Inboxes show {PREVIEW_BEST} of its {len(preview)} characters.",
            "preview_text",
        )
    elif preview.strip().lower() == subject.strip().lower():
        yield remark("preview_repeats", "The preview text repeats the subject.", "preview_text")
    if word_count(" ".join(piece.text for piece in draft.body)) < 5:
        yield remark("body_empty", "The body says next to nothing.", "blocks")


def check_readability(draft: CheckedDraft) -> Iterator[Finding]:
    """A body that needs a school-leaving certificate; English only, the formula knows no other language."""
    text = "\n".join(piece.text for piece in draft.body)
    if draft.language.startswith("en") and word_count(text) >= 40 and (grade := reading_grade(text)) > 12:
        yield remark("hard_to_read", f"Reading grade {grade}: shorter sentences would help.", "blocks")


def check_wishes(draft: CheckedDraft) -> Iterator[Finding]:
    """What the brief says must, and must not, be said."""
    text = " ".join(draft.all_text().lower().split())
    for phrase in draft.must_say:
        if phrase.strip() and " ".join(phrase.lower().split()).rstrip(".") not in text:
            yield remark("must_say_missing", f"“{phrase[:80]}” is not said.", "blocks")
    for phrase in (*draft.must_not_say, *draft.banned_phrases):
        if phrase.strip() and re.search(rf"(?<!\w){re.escape(phrase.lower().strip())}(?!\w)", text):
            yield remark("must_not_say", f"“{phrase[:80]}” must not be said.", "blocks")
