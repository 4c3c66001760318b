"""Links: only those of the brief, and the one that matters is there."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from aiwriter.guardrails.findings import CheckedDraft, Finding, finding


def canonical(url: str) -> str:
    """Return a URL so that two spellings of one address compare equal."""
    parts = urlsplit(url.strip())
    return parts._replace(
        scheme=parts.scheme.lower(), netloc=parts.netloc.lower(), path=parts.path.rstrip("/")
    ).geturl()


def check_links(draft: CheckedDraft) -> Iterator[Finding]:
    """Unknown, unsafe and missing links."""
    allowed = {canonical(url) for url in draft.allowed_links}
    used = set()
    for url, where in draft.urls:
        used.add(canonical(url))
        if url.startswith("{{") and url.endswith("}}"):
            continue
        if not url:
            yield finding("link_missing", "warn", "The button has no link yet.", where)
        elif urlsplit(url).scheme.lower() not in ("http", "https", "mailto", "tel"):
            yield finding("link_unsafe", "block", f"“{url[:60]}” is not a web address.", where)
        elif canonical(url) not in allowed:
            yield finding("link_unknown", "block", f"The brief does not name “{url[:80]}”.", where)
    if draft.required_link and canonical(draft.required_link) not in used:
        yield finding("link_dropped", "block", "The link of the brief is missing.", "blocks")
