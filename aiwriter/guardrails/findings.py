"""What a check says about a draft."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypedDict

if TYPE_CHECKING:
    from aiwriter.guardrails.receipts import Evidence, Receipt

Severity = Literal["block", "warn", "info"]
#: What a statement can be.
Kind = Literal["number", "price", "percent", "date", "time", "code", "offer", "claim", "link"]


#: Code -> how bad it is. `block` needs a named person's override, `warn` is shown, `info` is advice.
SEVERITIES: dict[str, Severity] = {
    "tag_foreign": "block",
    "tag_malformed": "block",
    "tag_not_allowed": "block",
    "tag_unclosed": "block",
    "tag_unknown": "block",
    "number_unsupported": "block",
    "date_unsupported": "block",
    "code_unsupported": "block",
    "offer_unsupported": "block",
    "claim_unsupported": "block",
    "claim_soft": "warn",
    "link_missing": "warn",
    "link_unsafe": "block",
    "link_unknown": "block",
    "link_dropped": "block",
    "link_disguised": "block",
    "hidden_characters": "block",
    "hidden_text": "block",
    "leftover_text": "block",
    "markdown_left": "warn",
    "spam_phrase": "warn",
    "cliche": "info",
    "shouting": "warn",
    "exclamation_marks": "warn",
    "subject_missing": "block",
    "subject_too_long": "block",
    "subject_long": "info",
    "preview_missing": "info",
    "preview_long": "info",
    "preview_repeats": "info",
    "body_empty": "block",
    "hard_to_read": "info",
    "must_say_missing": "warn",
    "must_not_say": "block",
    "language_other": "block",
    "language_mixed": "warn",
    "language_not_offered": "warn",
    "too_similar": "warn",
    "angles_alike": "warn",
}


class Finding(TypedDict):
    """One remark: a stable code, how bad it is, a sentence, and where (`subject`, `preview_text`, `blocks.2`)."""

    code: str
    severity: Severity
    message: str
    where: str


class Report(TypedDict):
    """All remarks; `ok` is false exactly when one of them blocks. `receipts` says what each statement rests on."""

    ok: bool
    findings: list[Finding]
    receipts: list[Receipt]
    metrics: dict[str, float]


def remark(code: str, message: str, where: str) -> Finding:
    """Return a finding whose severity stands in `SEVERITIES`."""
    return Finding(code=code, severity=SEVERITIES[code], message=message, where=where)


def finding(code: str, severity: Severity, message: str, where: str) -> Finding:
    """Return a finding; long quotes in the message were cut by the caller."""
    return Finding(code=code, severity=severity, message=message, where=where)


@dataclass(frozen=True)
class Piece:
    """One text of a draft, as a reader sees it and as it is stored."""

    where: str
    text: str
    source: str


@dataclass(frozen=True)
class CheckedDraft:
    """A draft and what it may say, ready for the checks.

    Attributes:
        pieces: every text with its place.
        urls: every link with its place.
        evidence: all that statements may rest on.
        allowed_tags: merge tags that exist.
        allowed_links: addresses that the brief names.
        language: the language that was asked for.
        earlier: texts of earlier drafts, to tell repetition.
    """

    pieces: tuple[Piece, ...]
    urls: tuple[tuple[str, str], ...]
    evidence: Evidence
    allowed_tags: frozenset[str]
    allowed_links: frozenset[str]
    required_link: str = ""
    language: str = "en"
    must_say: tuple[str, ...] = ()
    must_not_say: tuple[str, ...] = ()
    banned_phrases: tuple[str, ...] = ()
    earlier: tuple[str, ...] = ()

    @property
    def body(self) -> tuple[Piece, ...]:
        """The pieces below subject and preview text."""
        return tuple(piece for piece in self.pieces if piece.where.startswith("blocks"))

    @property
    def evidence_text(self) -> str:
        """The words of all evidence, lower case."""
        return self.evidence.text.lower()

    def all_text(self) -> str:
        """Everything a reader sees, one piece a line."""
        return "\n".join(piece.text for piece in self.pieces)

    def __iter__(self) -> Iterator[Piece]:
        return iter(self.pieces)
