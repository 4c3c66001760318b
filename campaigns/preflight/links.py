"""Where links lead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import urlsplit

from campaigns.content.blocks import walk
from campaigns.models import Variant
from campaigns.preflight.examined import Examined
from campaigns.preflight.finding import Finding, Severity

_HREF = re.compile(r"<a\b[^<>]*?\shref=(\"|')(?P<url>.*?)\1", re.IGNORECASE | re.DOTALL)
#: Reserved for documentation and tests (RFC 2606, RFC 6761): a leftover of a template.
_PLACEHOLDER_HOSTS = re.compile(
    r"(^|\.)(example|invalid|test|localhost)$|^example\.(com|net|org)$|^127\.|^yourdomain\."
)


def find(examined: Examined) -> Iterator[Finding]:
    """Find buttons without an address, incomplete addresses, and plain http."""
    for variant in examined.variants:
        where = examined.naming(variant.label)
        if variant.format == Variant.Format.BLOCKS and variant.label not in examined.broken:
            for block in walk(variant.body):
                label = str(block.get("label") or "")
                if block["type"] in ("button", "product") and label and not str(block.get("url") or "").strip():
                    yield Finding(
                        "link_missing",
                        Severity.BLOCK,
                        f"The button “{label[:60]}”{where} leads nowhere",
                        examined.composer,
                        detail="Give it an address.",
                    )
    for label, compiled in examined.compiled.items():
        urls = dict.fromkeys(unescape(found["url"]).strip() for found in _HREF.finditer(compiled.html))
        for url in urls:
            yield from _judge(url, examined, examined.naming(label))


def _judge(url: str, examined: Examined, where: str) -> Iterator[Finding]:
    if url.startswith(("mailto:", "tel:", "{{")):
        return
    shown = url if len(url) <= 80 else f"{url[:77]}…"
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
    except ValueError:
        host, parts = "", None
    if parts is None or parts.scheme not in ("http", "https") or not host:
        yield Finding(
            "link_broken",
            Severity.BLOCK,
            f"“{shown}”{where} is not a complete address",
            examined.composer,
            detail="A link begins with https://.",
        )
        return
    if _PLACEHOLDER_HOSTS.search(host) and not examined.workspace.is_demo:
        yield Finding(
            "link_placeholder",
            Severity.WARN,
            f"“{shown}”{where} looks like a placeholder",
            examined.composer,
            detail="Addresses such as example.com belong to nobody.",
        )
    if parts.scheme == "http":
        yield Finding(
            "link_http",
            Severity.WARN,
            f"“{shown}”{where} is not encrypted",
            examined.composer,
            detail="Use https: browsers warn about plain http, and filters count it.",
        )
