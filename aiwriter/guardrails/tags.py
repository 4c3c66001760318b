"""Merge tags: known, well formed, and in our notation."""

from __future__ import annotations

import re
from collections.abc import Iterator

from aiwriter.guardrails.findings import CheckedDraft, Finding, finding

STANDARD_TAGS = frozenset(
    {
        "first_name", "last_name", "email", "unsubscribe_url", "preferences_url", "web_version_url",
        "workspace.name", "workspace.postal_address", "campaign.name",
    }
)  # fmt: skip
_TOKEN = re.compile(r"\{\{\{?\s*([#^/&!>=]?)\s*([^{}]*?)\s*\}?\}\}")
_NAME = re.compile(r"[A-Za-z_][\w]*(\.[A-Za-z_]\w*)?\Z")
#: Notations of other systems that would be printed as they stand.
FOREIGN = (
    (re.compile(r"\*\|\s*\w+\s*\|\*"), "Mailchimp"),
    (re.compile(r"(?i)\[(?:first|last|full|your|customer|company|insert|recipient)[ _-]?\w*\]"), "a placeholder"),
    (re.compile(r"(?<!\{)\{(?!\{)\s*\w+\s*\}(?!\})"), "single braces"),
    (re.compile(r"%%?\s*[A-Za-z_]*name\s*%%?", re.IGNORECASE), "percent signs"),
    (re.compile(r"<%=?.*?%>|\$\{\w+\}"), "template code"),
)  # fmt: skip


def check_tags(draft: CheckedDraft) -> Iterator[Finding]:
    """Every tag must be known and closed; notations of other systems are caught."""
    for piece in draft:
        yield from _check_source(piece.source, piece.where, draft.allowed_tags)


def _check_source(source: str, where: str, allowed: frozenset[str]) -> Iterator[Finding]:
    open_sections: list[str] = []
    for match in _TOKEN.finditer(source):
        sigil, name = match[1], match[2]
        if sigil in ("!", ">", "=", "&") or match[0].startswith("{{{"):
            yield finding(
                "tag_not_allowed", "block", f"“{match[0][:60]}” is not a merge tag that mails may use.", where
            )
        elif not _NAME.match(name):
            yield finding("tag_malformed", "block", f"“{match[0][:60]}” is not a merge tag.", where)
        elif name not in allowed:
            yield finding("tag_unknown", "block", f"There is no merge tag “{name[:60]}”.", where)
        if sigil in ("#", "^"):
            open_sections.append(name)
        elif sigil == "/" and (not open_sections or open_sections.pop() != name):
            yield finding("tag_unclosed", "block", f"The section “{name[:60]}” closes but was not opened.", where)
            return
    if open_sections:
        yield finding("tag_unclosed", "block", f"The section “{open_sections[-1][:60]}” is not closed.", where)
    rest = _TOKEN.sub("", source)
    if "{{" in rest or "}}" in rest:
        yield finding("tag_malformed", "block", "There are braces that belong to no merge tag.", where)
    for pattern, system in FOREIGN:
        if foreign := pattern.search(rest):
            yield finding(
                "tag_foreign", "block", f"“{foreign[0][:60]}” ({system}) would be printed as it stands.", where
            )
