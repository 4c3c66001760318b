"""Deterministic checks on every draft, whoever wrote it. The same draft and brief always give the same report."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from aiwriter.guardrails import facts, links, tags, tongue, wording
from aiwriter.guardrails.findings import CheckedDraft, Finding, Piece, Report, finding
from aiwriter.guardrails.hidden import without_hidden
from aiwriter.guardrails.receipts import Checked, Evidence, Receipt, Source, check_pieces

__all__ = [
    "CheckedDraft",
    "Evidence",
    "Finding",
    "Receipt",
    "Report",
    "Source",
    "check_draft",
    "check_statements",
    "finding",
]

CHECKS = (
    tags.check_tags,
    links.check_links,
    wording.check_hidden_characters,
    wording.check_leftovers,
    wording.check_spam,
    wording.check_length,
    wording.check_readability,
    wording.check_wishes,
    tongue.check_language,
    tongue.check_similarity,
)
SEVERITY_ORDER = {"block": 0, "warn": 1, "info": 2}
MOST_FINDINGS = 60
MOST_RECEIPTS = 200
_HREF = re.compile(r"""href\s*=\s*["']([^"']*)["']""", re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")
_TEXT_KEYS = ("text", "html", "label", "title", "attribution", "price", "alt")
_MERGE = re.compile(r"\{\{[^{}]*\}\}")


def _visible(source: str, *, is_rich: bool = False) -> str:
    """Return the words of a text or of rich text; merge tags are gone, they are checked by themselves."""
    if not is_rich:
        return _MERGE.sub("", source).strip()
    seen, _ = without_hidden(_MERGE.sub("", source))
    spaced = re.sub(r"</(?:p|li|h\d)>|<br\s*/?>", "\n", seen)
    return html.unescape(_TAG.sub("", spaced)).strip()


def _pieces(blocks: Sequence[dict[str, Any]], path: str = "blocks") -> Iterator[Piece]:
    for index, block in enumerate(blocks):
        where = f"{path}.{index}"
        for key in _TEXT_KEYS:
            if isinstance(source := block.get(key), str) and source:
                yield Piece(where, _visible(source, is_rich=key == "html"), source)
        for column in block.get("columns") or ():
            yield from _pieces(column, where)


def _urls(blocks: Sequence[dict[str, Any]], path: str = "blocks") -> Iterator[tuple[str, str]]:
    for index, block in enumerate(blocks):
        where = f"{path}.{index}"
        if "url" in block and block.get("type") in ("button", "product"):
            yield str(block["url"]), where
        for key in ("text", "html"):
            yield from ((html.unescape(url), where) for url in _HREF.findall(str(block.get(key) or "")))
        if block.get("type") == "image" and block.get("href"):
            yield str(block["href"]), where
        for column in block.get("columns") or ():
            yield from _urls(column, where)


def check_statements(
    *, subject: str, preview_text: str, blocks: Sequence[dict[str, Any]], evidence: Evidence
) -> tuple[list[Checked], list[Receipt]]:
    """Return every statement of a mail with what supports it, and the receipts, those of its links included."""
    return check_pieces(_all_pieces(subject, preview_text, blocks), _urls(blocks), evidence)


def _all_pieces(subject: str, preview_text: str, blocks: Sequence[dict[str, Any]]) -> tuple[Piece, ...]:
    head = (Piece("subject", _visible(subject), subject), Piece("preview_text", _visible(preview_text), preview_text))
    return (*head, *_pieces(blocks))


def check_draft(
    *,
    subject: str,
    preview_text: str,
    blocks: Sequence[dict[str, Any]],
    evidence: Iterable[str] = (),
    brand_facts: Iterable[str] = (),
    allowed_tags: Iterable[str] = (),
    allowed_links: Iterable[str] = (),
    required_link: str = "",
    language: str = "en",
    must_say: Iterable[str] = (),
    must_not_say: Iterable[str] = (),
    banned_phrases: Iterable[str] = (),
    earlier: Iterable[str] = (),
    extra: Iterable[Finding] = (),
) -> Report:
    """Check one draft.

    Args:
        evidence: the texts of the brief that claims may rest on.
        brand_facts: what the brand may always claim.
        allowed_tags: merge tags besides the standard ones.
        allowed_links: addresses besides `required_link`.
        required_link: the address that the call to action must lead to.
        earlier: texts of earlier drafts; saying the same again is worth a warning.
        extra: findings of the writer itself, such as a language that it does not know.

    Returns:
        `{ok, findings, receipts, metrics}`; findings sorted by severity, `ok` false when one blocks.
    """
    links_allowed = frozenset(filter(None, (*allowed_links, required_link)))
    sources = [Source("brief", text) for text in evidence] + [Source("brand", text) for text in brand_facts]
    known = Evidence(sources, language, links_allowed)
    draft = CheckedDraft(
        pieces=_all_pieces(subject, preview_text, blocks),
        urls=tuple(_urls(blocks)),
        evidence=known,
        allowed_tags=tags.STANDARD_TAGS | set(allowed_tags),
        allowed_links=links_allowed,
        required_link=required_link,
        language=language,
        must_say=tuple(must_say),
        must_not_say=tuple(must_not_say),
        banned_phrases=tuple(banned_phrases),
        earlier=tuple(earlier),
    )
    statements, receipts = check_pieces(draft.pieces, draft.urls, known)
    own = [*extra]
    found = [*own, *facts.unsupported(statements), *(each for check in CHECKS for each in check(draft))]
    if any(each["code"] == "language_not_offered" for each in own):
        found = [each for each in found if each["code"] not in ("language_other", "language_mixed")]
    found.sort(key=lambda each: SEVERITY_ORDER[each["severity"]])
    body = "\n".join(piece.text for piece in draft.body)
    return Report(
        ok=not any(each["severity"] == "block" for each in found),
        findings=found[:MOST_FINDINGS],
        receipts=receipts[:MOST_RECEIPTS],
        metrics={
            "words": wording.word_count(body),
            "grade": wording.reading_grade(body),
            "subject_length": len(subject),
        },
    )
