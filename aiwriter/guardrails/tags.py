"""Merge tags: known, well formed, and in our notation."""

from __future__ import annotations

import re
from collections.abc import Iterator

from aiwriter.guardrails.findings import CheckedDraft, Finding, remark

STANDARD_TAGS = frozenset(
    {
        "first_name", "last_name", "email", "unsubscribe_url", "preferences_url", "web_version_url",
        "workspace.name", "workspace.postal_address", "campaign.name",
    }
)  # fmt: skip
_TOKEN = re.compile(r"\{\{\{?\s*([#^/&!>=]?)\s*([^{}]*?)\s*\}?\}\}")
_NAME = re.compile(r"[A-Za-z_][\w]*(\.[A-Za-z_]\w*)?\Z")
#: What stands for a person's data in other programs and languages.
_PERSONAL = (
    r"(?:(?:first|last|full|user|contact|customer|subscriber|company)[ _-]?name|[fl]name|name|e?[ _-]?mail"
    r"|vorname|nachname|pr[ée]nom|nom|nombre|apellido|nome|naam|voornaam|imi[ęe]|f[öo]rnamn|isim|ad[ıi]n[ıi]z|שם|الاسم|お名前|名前)"
)
#: Notations of other systems that would be printed as they stand.
FOREIGN = (
    (re.compile(r"\*\|[^|\n]{1,60}\|\*"), "Mailchimp"),
    (
        re.compile(
            rf"\[\[?\s*(?:(?:first|last|full|your|customer|company|insert|recipient)[ _-][\w -]*|{_PERSONAL})\s*\]",
            re.IGNORECASE,
        ),
        "a placeholder",
    ),
    (re.compile(r"(?<!\{)\{(?!\{)\s*[\w. -]{1,40}\s*\}(?!\})"), "single braces"),
    (re.compile(rf"%%?\s*(?:\w+_)?{_PERSONAL}\s*%%?|%%\w+%%", re.IGNORECASE), "percent signs"),
    (re.compile(rf"(?:<|&lt;|‹){{1,2}}\s*{_PERSONAL}\s*(?:>|&gt;|›){{1,2}}", re.IGNORECASE), "angle brackets"),
    (re.compile(r"<%=?.*?%>|\$\{\w+\}|\{%[^%\n]{1,80}%\}"), "template code"),
)
#: Sections that decide or repeat in other programs.
FOREIGN_SECTIONS = re.compile(r"(?:each|if|unless|with|else|for|endif)\b")


def check_tags(draft: CheckedDraft) -> Iterator[Finding]:
    """Every tag must be known and closed; notations of other systems are caught."""
    for piece in draft:
        yield from _check_source(piece.source, piece.where, draft.allowed_tags)


def _check_source(source: str, where: str, allowed: frozenset[str]) -> Iterator[Finding]:
    open_sections: list[str] = []
    for match in _TOKEN.finditer(source):
        sigil, name = match[1], match[2]
        is_foreign_section = sigil in ("#", "/", "^", "") and FOREIGN_SECTIONS.match(name)
        if sigil in ("!", ">", "=", "&") or match[0].startswith("{{{") or is_foreign_section:
            yield remark("tag_not_allowed", f"“{match[0][:60]}” is not a merge tag that mails may use.", where)
        elif not _NAME.match(name):
            yield remark("tag_malformed", f"“{match[0][:60]}” is not a merge tag.", where)
        elif name not in allowed:
            yield remark("tag_unknown", f"There is no merge tag “{name[:60]}”.", where)
        if sigil in ("#", "^"):
            open_sections.append(name)
        elif sigil == "/" and (not open_sections or open_sections.pop() != name):
            yield remark("tag_unclosed", f"The section “{name[:60]}” closes but was not opened.", where)
            return
    if open_sections:
        yield remark("tag_unclosed", f"The section “{open_sections[-1][:60]}” is not closed.", where)
    rest = _TOKEN.sub("", source)
    if "{{" in rest or "}}" in rest:
        yield remark("tag_malformed", "There are braces that belong to no merge tag.", where)
    for pattern, system in FOREIGN:
        if foreign := pattern.search(rest):
            yield remark("tag_foreign", f"“{foreign[0][:60]}” ({system}) would be printed as it stands.", where)
