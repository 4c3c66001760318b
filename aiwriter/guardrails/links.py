"""Links: only those of the brief, none in disguise, and the one that matters is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlencode, urlsplit

from aiwriter.guardrails.findings import CheckedDraft, Finding, remark

#: Addresses that readers see as text; mail programs make links of them.
_WRITTEN = re.compile(
    r"(?<![\w@./-])(?:https?://|www\.)[^\s<>\"“”()]+|(?<![\w@./-])[a-z0-9][a-z0-9-]*(?:\.[a-z0-9-]+)*"
    r"\.(?:com|net|org|info|biz|shop|store|app|dev|io|ly|co|me|ai|eu|uk|de|fr|es|it|pt|nl|pl|se|tr|jp|il|example)"
    r"(?![\w-])(?:/[^\s<>\"“”()]*)?",
    re.IGNORECASE,
)
_ANCHOR = re.compile(
    r"<a\b[^<>]*?\shref\s*=\s*[\"'](?P<url>[^\"']*)[\"'][^<>]*>(?P<words>.*?)</a>", re.IGNORECASE | re.DOTALL
)
_TAG = re.compile(r"<[^>]*>")


def canonical(url: str) -> str:
    """Return a URL so that two spellings of one address compare equal; what only counts visits is left out."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return url
    query = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name[:4] != "utm_"]
    return parts._replace(
        scheme=parts.scheme.lower(), netloc=parts.netloc.lower(), path=parts.path.rstrip("/"), query=urlencode(query)
    ).geturl()


def _host(url: str) -> str:
    try:
        host = urlsplit(url if "//" in url else f"https://{url}").hostname or ""
    except ValueError:
        return ""
    return host.lower().removeprefix("www.")


def _scheme(url: str) -> str:
    try:
        return urlsplit(url).scheme.lower()
    except ValueError:
        return "invalid"


def written_links(text: str) -> list[str]:
    """Return the web addresses that stand in a text as words."""
    return [found[0].rstrip(".,;:!?") for found in _WRITTEN.finditer(text)]


def check_links(draft: CheckedDraft) -> Iterator[Finding]:
    """Unknown, unsafe, disguised and missing links."""
    allowed = {canonical(url) for url in draft.allowed_links}
    hosts = {_host(url) for url in draft.allowed_links}
    used = set()
    for url, where in draft.urls:
        used.add(canonical(url))
        if url.startswith("{{") and url.endswith("}}"):
            continue
        if not url:
            yield remark("link_missing", "The button has no link yet.", where)
        elif _scheme(url) not in ("http", "https", "mailto", "tel"):
            yield remark("link_unsafe", f"“{url[:60]}” is not a web address.", where)
        elif canonical(url) not in allowed and claimed(url) not in draft.evidence.accepted:
            yield remark("link_unknown", f"The brief does not name “{url[:80]}”.", where)
    for piece in draft:
        for written in written_links(piece.text):
            is_named = written.lower() in draft.evidence_text or claimed(written) in draft.evidence.accepted
            is_bare = "/" not in written.partition("//")[2] if "//" in written else "/" not in written
            if not (is_named or (is_bare and _host(written) in hosts) or canonical(written) in allowed):
                yield remark("link_unknown", f"The brief does not name “{written[:80]}”.", piece.where)
        for anchor in _ANCHOR.finditer(piece.source):
            shown = written_links(_TAG.sub("", anchor["words"]))
            if shown and _host(shown[0]) != _host(anchor["url"]):
                yield remark("link_disguised", f"“{shown[0][:60]}” leads to another address.", piece.where)
    if draft.required_link and canonical(draft.required_link) not in used:
        yield remark("link_dropped", "The link of the brief is missing.", "blocks")


def claimed(url: str) -> str:
    """Return a link as an accepted claim holds it."""
    return " ".join(url.lower().split())[:300]
