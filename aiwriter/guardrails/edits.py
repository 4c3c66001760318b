"""What an edit of a passage lost or made up: merge tags, links, numbers, and everything else that the checks know."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TypedDict

from aiwriter.guardrails import facts, links, tags, wording
from aiwriter.guardrails.findings import CheckedDraft, Finding, Piece, Severity, finding
from aiwriter.guardrails.languages import FEWEST_WORDS, known_languages, other_language
from aiwriter.guardrails.receipts import Evidence, Source, check_pieces
from aiwriter.guardrails.statements import read_statements

#: Code -> how bad it is; the codes of the other checks stand in `findings.SEVERITIES`.
SEVERITIES: dict[str, Severity] = {
    "edit_tag_lost": "block",
    "edit_link_lost": "block",
    "edit_code_lost": "block",
    "edit_number_lost": "block",
    "edit_language": "block",
    "edit_unchanged": "info",
}
#: Instructions that may leave something out: what is gone is shown, and is no fault.
MAY_LEAVE_OUT = frozenset({"shorten", "wish"})
CHECKS = (
    tags.check_tags,
    links.check_links,
    wording.check_hidden_characters,
    wording.check_leftovers,
    wording.check_spam,
    wording.check_wishes,
)
#: `⟦link-a⟧words⟦/link-a⟧` holds formatting that plain text has no words for; `⟦code-b⟧` stands for a piece of source.
_MARK = re.compile(r"⟦(/?)([a-z]+)-([a-z]+)⟧")
_TAG_NAME = re.compile(r"\{\{\{?\s*[#^/]?\s*([\w.]+)\s*\}?\}\}")
_ORDER = {"block": 0, "warn": 1, "info": 2}


class EditReport(TypedDict):
    """What is to be said about an edit; `ok` is false when something of it blocks, which asks a person first."""

    ok: bool
    findings: list[Finding]


def without_marks(text: str) -> str:
    """Return a passage without the marks that hold its formatting."""
    return _MARK.sub("", text)


def check_edit(
    *,
    before: str,
    after: str,
    instruction: str,
    evidence: Iterable[str] = (),
    brand_facts: Iterable[str] = (),
    allowed_tags: Iterable[str] = (),
    allowed_links: Iterable[str] = (),
    language: str = "en",
    translated_into: str = "",
    must_not_say: Iterable[str] = (),
    banned_phrases: Iterable[str] = (),
) -> EditReport:
    """Compare a passage with its edit.

    Args:
        before, after: plain text with merge tags and marks of formatting.
        instruction: what was asked for; `shorten` and `wish` may leave things out.
        evidence: texts besides the passage itself that the edit may draw on.
        language: the language of the brief; what the passage is in when it is too short to tell.
        translated_into: what it was to be translated into; empty: it should have stayed in its language.
    """
    own, new = without_marks(before), without_marks(after)
    original = other_language(own, language) or language
    spoken = _translation(translated_into) or original
    sources = [Source("brief", text) for text in (own, *evidence)] + [Source("brand", text) for text in brand_facts]
    written = tuple(links.written_links(own))
    known = Evidence(sources, spoken, (*allowed_links, *written))
    piece = Piece("text", _TAG_NAME.sub("", new).strip(), new)
    draft = CheckedDraft(
        pieces=(piece,),
        urls=(),
        evidence=known,
        allowed_tags=tags.STANDARD_TAGS | set(allowed_tags) | set(_TAG_NAME.findall(own)),
        allowed_links=frozenset((*allowed_links, *written)),
        language=spoken,
        must_not_say=tuple(must_not_say),
        banned_phrases=tuple(banned_phrases),
    )
    statements, _receipts = check_pieces(draft.pieces, (), known)
    found = [
        *_lost(before, after, own, new),
        *_lost_numbers(own, new, original, spoken, may_leave_out=instruction in MAY_LEAVE_OUT),
        *_language(own, new, spoken, is_translated=bool(translated_into)),
        *facts.unsupported(statements),
        *(each for check in CHECKS for each in check(draft)),
    ]
    found.sort(key=lambda each: _ORDER[each["severity"]])
    return EditReport(ok=not any(each["severity"] == "block" for each in found), findings=found)


def _say(code: str, message: str, severity: Severity | None = None) -> Finding:
    return finding(code, severity or SEVERITIES[code], message, "text")


def _translation(language: str) -> str:
    code = language.lower().split("-")[0]
    return code if code in known_languages() else ""


def _marked(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield kind, name and words of every mark: what stands between its two ends, "" for one without an end."""
    ends = {match[2] + match[3]: match.start() for match in _MARK.finditer(text) if match[1]}
    for match in _MARK.finditer(text):
        if not match[1]:
            end = ends.get(match[2] + match[3], match.end())
            yield match[2], match[3], without_marks(text[match.end() : end]).strip()


def _lost(before: str, after: str, own: str, new: str) -> Iterator[Finding]:
    for name in dict.fromkeys(_TAG_NAME.findall(own)):
        if name not in _TAG_NAME.findall(new):
            yield _say("edit_tag_lost", f"The merge tag “{name}” is gone.")
    kept: Sequence[str] = [match[0] for match in _MARK.finditer(after)]
    for kind, name, words in _marked(before):
        ends = [end for end in (f"⟦{kind}-{name}⟧", f"⟦/{kind}-{name}⟧") if end in before]
        if all(end in kept for end in ends):
            continue
        if kind == "link":
            yield _say("edit_link_lost", f"The link of “{words[:80]}” is gone.")
        elif kind == "code":
            yield _say("edit_code_lost", "A piece of the code is gone.")
    still = {links.canonical(url) for url in links.written_links(new)}
    for url in dict.fromkeys(links.written_links(own)):
        if links.canonical(url) not in still:
            yield _say("edit_link_lost", f"“{url[:80]}” is gone.")


def _lost_numbers(own: str, new: str, original: str, spoken: str, *, may_leave_out: bool) -> Iterator[Finding]:
    still = _keys(new, spoken)
    for statement in read_statements(own, original):
        if statement.kind not in ("offer", "claim") and not statement.keys & still:
            yield _say("edit_number_lost", f"“{statement.text[:80]}” is gone.", "warn" if may_leave_out else None)


def _keys(text: str, language: str) -> frozenset[str]:
    codes = dict.fromkeys((language, "en"))
    return frozenset(key for code in codes for statement in read_statements(text, code) for key in statement.keys)


def _language(own: str, new: str, spoken: str, *, is_translated: bool) -> Iterator[Finding]:
    # A passage of a few words may be in any language: nothing is said about its edit then.
    if (is_translated or len(own.split()) >= FEWEST_WORDS) and other_language(new, spoken):
        yield _say("edit_language", "It is not in the language asked for." if is_translated else "It changed language.")
    if own.split() == new.split():
        yield _say("edit_unchanged", "Nothing had to change.")
