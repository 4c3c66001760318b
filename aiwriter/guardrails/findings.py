"""What a check says about a draft."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict

Severity = Literal["block", "warn", "info"]


class Finding(TypedDict):
    """One remark: a stable code, how bad it is, a sentence, and where (`subject`, `preview_text`, `blocks.2`)."""

    code: str
    severity: Severity
    message: str
    where: str


class Report(TypedDict):
    """All remarks; `ok` is false exactly when one of them blocks."""

    ok: bool
    findings: list[Finding]
    metrics: dict[str, float]


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
        evidence: all texts that claims may rest on.
        allowed_tags: merge tags that exist.
        allowed_links: addresses that the brief names.
        language: the language that was asked for.
    """

    pieces: tuple[Piece, ...]
    urls: tuple[tuple[str, str], ...]
    evidence: str
    allowed_tags: frozenset[str]
    allowed_links: frozenset[str]
    required_link: str = ""
    language: str = "en"
    must_say: tuple[str, ...] = ()
    must_not_say: tuple[str, ...] = ()
    banned_phrases: tuple[str, ...] = ()
    blocks: tuple[dict[str, Any], ...] = field(default=())

    @property
    def body(self) -> tuple[Piece, ...]:
        """The pieces below subject and preview text."""
        return tuple(piece for piece in self.pieces if piece.where.startswith("blocks"))

    def all_text(self) -> str:
        """Everything a reader sees, one piece a line."""
        return "\n".join(piece.text for piece in self.pieces)

    def __iter__(self) -> Iterator[Piece]:
        return iter(self.pieces)
