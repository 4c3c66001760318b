"""Deterministic checks on every draft, whoever wrote it. The same draft and brief always give the same report."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from aiwriter.guardrails import facts, links, tags, wording
from aiwriter.guardrails.findings import CheckedDraft, Finding, Piece, Report, finding

__all__ = ["CheckedDraft", "Finding", "Report", "check_draft", "finding"]

CHECKS = (
    tags.check_tags,
    facts.check_facts,
    links.check_links,
    wording.check_hidden_characters,
    wording.check_spam,
    wording.check_length,
    wording.check_readability,
    wording.check_wishes,
)
SEVERITY_ORDER = {"block": 0, "warn": 1, "info": 2}
MOST_FINDINGS = 60
_HREF = re.compile(r"""href\s*=\s*["']([^"']*)["']""", re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")
_TEXT_KEYS = ("text", "html", "label", "title", "attribution", "price", "alt")
_MERGE = re.compile(r"\{\{[^{}]*\}\}")


def _visible(source: str, *, is_rich: bool = False) -> str:
    """Return the words of a text or of rich text; merge tags are gone, they are checked by themselves."""
    if not is_rich:
        return _MERGE.sub("", source).strip()
    spaced = re.sub(r"</(?:p|li|h\d)>|<br\s*/?>", "\n", source)
    return html.unescape(_TAG.sub("", _MERGE.sub("", spaced))).strip()


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


def check_draft(
    *,
    subject: str,
    preview_text: str,
    blocks: Sequence[dict[str, Any]],
    evidence: Iterable[str] = (),
    allowed_tags: Iterable[str] = (),
    allowed_links: Iterable[str] = (),
    required_link: str = "",
    language: str = "en",
    must_say: Iterable[str] = (),
    must_not_say: Iterable[str] = (),
    banned_phrases: Iterable[str] = (),
    extra: Iterable[Finding] = (),
) -> Report:
    """Check one draft.

    Args:
        evidence: the texts of the brief that claims may rest on.
        allowed_tags: merge tags besides the standard ones.
        allowed_links: addresses besides `required_link`.
        required_link: the address that the call to action must lead to.
        extra: findings of the writer itself, such as a language that it does not know.

    Returns:
        `{ok, findings, metrics}`; findings sorted by severity, `ok` false when one blocks.
    """
    pieces = (Piece("subject", _visible(subject), subject), Piece("preview_text", _visible(preview_text), preview_text))
    draft = CheckedDraft(
        pieces=(*pieces, *_pieces(blocks)),
        urls=tuple(_urls(blocks)),
        evidence="\n".join(evidence),
        allowed_tags=tags.STANDARD_TAGS | set(allowed_tags),
        allowed_links=frozenset(filter(None, (*allowed_links, required_link))),
        required_link=required_link,
        language=language,
        must_say=tuple(must_say),
        must_not_say=tuple(must_not_say),
        banned_phrases=tuple(banned_phrases),
    )
    found = [*extra, *(remark for check in CHECKS for remark in check(draft))]
    found.sort(key=lambda remark: SEVERITY_ORDER[remark["severity"]])
    body = "\n".join(piece.text for piece in draft.body)
    return Report(
        ok=not any(remark["severity"] == "block" for remark in found),
        findings=found[:MOST_FINDINGS],
        metrics={
            "words": wording.word_count(body),
            "grade": wording.reading_grade(body),
            "subject_length": len(subject),
        },
    )
