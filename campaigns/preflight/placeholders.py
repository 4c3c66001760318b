"""Words in braces that were meant to be filled in, in the languages of other mailing programs or half written."""

from __future__ import annotations

import re
from collections.abc import Iterator

from campaigns.preflight.examined import Examined
from campaigns.preflight.finding import Finding, Severity

#: What stands for a person's data in other programs; other words in brackets may be what the author means to say.
_PERSONAL = (
    r"(?:(?:first|last|full|user|contact|customer|subscriber|company)[ _-]?name|[fl]name|name"
    r"|e?[ _-]?mail(?:[ _-]?address)?|company|city|country|unsubscribe(?:[ _-]?(?:link|url))?|your[ _-]name"
    r"|insert[ _-][a-z _-]+)"
)
#: Name of the notation -> how it looks. Each is a tag of another program, and readers would see it as it stands.
FOREIGN = {
    "Mailchimp": re.compile(r"\*\|[^|\n]{1,60}\|\*"),
    "percent signs": re.compile(rf"%%?{_PERSONAL}%%?", re.IGNORECASE),
    "square brackets": re.compile(rf"\[\[?\s*{_PERSONAL}\s*\]\]?", re.IGNORECASE),
    "single braces": re.compile(rf"(?<![{{\w])[$#]?\{{\s*{_PERSONAL}\s*\}}(?!\}})", re.IGNORECASE),
    "angle brackets": re.compile(rf"<<\s*{_PERSONAL}\s*>>|<%=?[^%\n]{{1,60}}%>", re.IGNORECASE),
    "Liquid": re.compile(r"\{%[^%\n]{1,80}%\}"),
}
_OWN_TAG = re.compile(r"\{\{\{?[^{}]*\}?\}\}")


def find(examined: Examined) -> Iterator[Finding]:
    """Find foreign tags and stray braces in subject, preview text, text and alternative texts."""
    for label, compiled in examined.compiled.items():
        parts = {
            "subject": compiled.subject,
            "preview text": compiled.preview_text,
            "mail": f"{compiled.text}\n{' '.join(_ALT.findall(compiled.html))}",
        }
        for part, source in parts.items():
            where = f"the {part}{examined.naming(label)}"
            foreign = [match for look in FOREIGN.values() for match in look.findall(source)]
            if foreign:
                listed = ", ".join(f"“{tag}”" for tag in dict.fromkeys(foreign))
                yield Finding(
                    "placeholder_left",
                    Severity.BLOCK,
                    f"{listed[:120]} in {where} would be sent as it stands",
                    examined.composer,
                    detail="Merge tags are written {{first_name}} here: pick one from the list.",
                )
            elif has_stray_braces(source):
                yield Finding(
                    "braces_left",
                    Severity.WARN,
                    f"Single or extra braces in {where}",
                    examined.composer,
                    detail="A merge tag has exactly two braces on each side: {{first_name}}.",
                )


_ALT = re.compile(r"\salt=\"([^\"]*)\"", re.IGNORECASE)


def has_stray_braces(source: str) -> bool:
    """Return whether readers would see braces: what is left when all tags are taken out."""
    rest = _OWN_TAG.sub("", source)
    return "{" in rest or "}" in rest
