"""The score of a subject line: a table of rules, each with its points, its reason and where the advice comes from.

The points add up to 100. A rule that cannot judge a line (the words of its language are not known) is left out and the
others count for all. It is advice: Mailchimp's own study found next to no effect of length alone, and no rule knows
these readers. What earlier lines of the same sender did is shown beside it, and is worth more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from aiwriter.subjects.reading import Line, width

#: Characters that phones show of a subject: from the narrowest list to the widest.
PHONE_LEAST, PHONE_MOST = 33, 41
BEST_LENGTH = (30, 60)
FAIR_LENGTH = (20, 70)
MOST_WORDS = 9
BEST_PREVIEW = (40, 90)
FAIR_PREVIEW = (20, 110)
#: Share of the subject's words in the preview text from which it says the same again.
REPEATS = 0.5

GUIDES = "Advice of Intuit Mailchimp’s and Kajabi’s guides"
INBOXES = "What inboxes of common phones show"
FILTERS = "Words that spam filters and readers dislike"
PRACTICE = "Editors’ practice"


@dataclass(frozen=True)
class Reason:
    """What one rule says: `points` of `most`, in a sentence, and where the advice comes from."""

    code: str
    points: int
    most: int
    message: str
    source: str


@dataclass(frozen=True)
class Score:
    """0 to 100, and why. `label` names the kind of judgement: rules, and no prediction."""

    score: int
    reasons: tuple[Reason, ...]
    label: str = "Rule-based: advice, not fact"

    def as_json(self) -> dict[str, Any]:
        """Return it as `/v1` shows it."""
        return {"score": self.score, "reasons": [asdict(reason) for reason in self.reasons], "label": self.label}


@dataclass(frozen=True)
class Rule:
    """One line of the table. `judge` returns the share of the points (0 to 1) and the sentence, or None: no opinion."""

    code: str
    most: int
    source: str
    judge: Callable[[Line], tuple[float, str] | None]


def _length(line: Line) -> tuple[float, str]:
    size = width(line.subject)
    least, most = BEST_LENGTH
    if least <= size <= most:
        return 1, f"{size} characters: within {least} to {most}."
    is_fair = FAIR_LENGTH[0] <= size <= FAIR_LENGTH[1]
    return (0.5 if is_fair else 0), f"{size} characters: {least} to {most} are read best."


def _words(line: Line) -> tuple[float, str] | None:
    if not line.has_spaces:
        return None
    count = len(line.words)
    said = f"{count} {'word' if count == 1 else 'words'}"
    if count <= MOST_WORDS:
        return 1, f"{said}: at most {MOST_WORDS}."
    return (0.5 if count <= MOST_WORDS + 2 else 0), f"{said}: {MOST_WORDS} are plenty."


def _phone(line: Line) -> tuple[float, str]:
    size = width(line.subject)
    if size <= PHONE_LEAST:
        return 1, "Every phone shows all of it."
    shown = _cut(line.subject, PHONE_LEAST)
    if size <= PHONE_MOST:
        return 0.9, f"Most phones show all of it, narrow ones “{shown}…”."
    return 0.5, f"Phones show “{shown}…”: what matters belongs there."


def _capitals(line: Line) -> tuple[float, str]:
    if not line.shouted:
        return 1, "No words in capitals."
    return 0, f"“{line.shouted[0]}” is in capitals."


def _marks(line: Line) -> tuple[float, str]:
    count = line.subject.count("!")
    if count > 1 or any(run in line.subject for run in ("?!", "!?", "??", "$$")):
        return 0, "More than one mark of excitement."
    return (0.6, "One exclamation mark.") if count else (1, "Calm punctuation.")


def _emoji(line: Line) -> tuple[float, str]:
    count = len(line.emoji)
    if count > 1:
        return 0, f"{count} emoji: one is enough."
    return 1, "One emoji." if count else "No emoji, which is fine."


def _urgency(line: Line) -> tuple[float, str] | None:
    if not line.has_cues:
        return None
    found = line.cues("urgency")
    if len(found) > 1:
        return 0, f"It presses twice: {_quoted(found)}."
    return 1, f"One urgency cue: {_quoted(found)}." if found else "It does not press."


def _spam(line: Line) -> tuple[float, str] | None:
    if not line.has_cues:
        return None
    found = line.cues("spam")
    if not found:
        return 1, "No words typical of spam."
    return 0, f"Typical of spam: {_quoted(found)}."


def _specific(line: Line) -> tuple[float, str]:
    found = []
    if any(one.isdigit() for one in line.subject):
        found.append("a number")
    if line.subject.rstrip().endswith(("?", "？", "؟")):
        found.append("a question")
    if line.names:
        found.append(f"a name ({line.names[0]})")
    if line.has_tag:
        found.append("the reader")
    if not found:
        return 0.3, "Nothing to hold on to: no number, name or question."
    return (1 if len(found) > 1 else 0.8), f"Concrete: {', '.join(found)}."


def _preview_length(line: Line) -> tuple[float, str]:
    size = width(line.preview)
    least, most = BEST_PREVIEW
    if not size:
        return 0, "No preview text: inboxes show the first words of the mail."
    if least <= size <= most:
        return 1, f"Preview text of {size} characters: within {least} to {most}."
    is_fair = FAIR_PREVIEW[0] <= size <= FAIR_PREVIEW[1]
    return (0.5 if is_fair else 0.2), f"Preview text of {size} characters: {least} to {most} fill the line."


def _preview_adds(line: Line) -> tuple[float, str] | None:
    own, other = line.meaning(line.subject), line.meaning(line.preview)
    if not line.preview:
        return 0, "No preview text that could add to it."
    if not own or not line.has_spaces:
        return None
    share = len(own & other) / len(own)
    if share < REPEATS and other - own:
        return 1, "The preview text adds something."
    return 0, "The preview text says the same again."


def _quoted(words: list[str]) -> str:
    return ", ".join(f"“{word}”" for word in words[:3])


def _cut(text: str, room: int) -> str:
    shown = ""
    for one in text:
        if width(shown + one) > room:
            break
        shown += one
    return shown.rstrip()


#: The whole judgement. Points add up to 100.
RULES = (
    Rule("length", 15, GUIDES, _length),
    Rule("words", 8, GUIDES, _words),
    Rule("phone", 8, INBOXES, _phone),
    Rule("capitals", 8, GUIDES, _capitals),
    Rule("marks", 5, PRACTICE, _marks),
    Rule("emoji", 5, GUIDES, _emoji),
    Rule("urgency", 8, GUIDES, _urgency),
    Rule("spam", 10, FILTERS, _spam),
    Rule("specific", 13, PRACTICE, _specific),
    Rule("preview_length", 10, GUIDES, _preview_length),
    Rule("preview_adds", 10, PRACTICE, _preview_adds),
)


def score_line(subject: str, preview_text: str = "", language: str = "en") -> Score:
    """Judge a subject line. The same line always gets the same score.

    Args:
        subject: as it is stored; merge tags are measured as their fallback, or as a name of usual length.
        preview_text: the preview text that stands beside it.
        language: whose urgency and spam words are looked for.
    """
    line = Line.of(subject, preview_text, language)
    if not line.subject:
        empty = Reason("empty", 0, 100, "There is no subject.", PRACTICE)
        return Score(0, (empty,))
    reasons = []
    for rule in RULES:
        if (judged := rule.judge(line)) is not None:
            share, message = judged
            reasons.append(Reason(rule.code, round(rule.most * share), rule.most, message, rule.source))
    possible = sum(reason.most for reason in reasons)
    return Score(round(100 * sum(reason.points for reason in reasons) / possible), tuple(reasons))
