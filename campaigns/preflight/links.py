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
from campaigns.preflight.link_answers import PLACEHOLDER_HOST, State

_HREF = re.compile(r"<a\b[^<>]*?\shref=(\"|')(?P<url>.*?)\1", re.IGNORECASE | re.DOTALL)

#: State -> code, what happened, what it means.
_ANSWERS: dict[State, tuple[str, str, str]] = {
    State.GONE: (
        "link_dead",
        "“{url}” is not there ({status})",
        "Readers would see an error page. Correct the address.",
    ),
    State.FAILING: ("link_failing", "“{url}” has a problem ({status})", "The server answers with an error right now."),
    State.SILENT: ("link_silent", "“{url}” does not answer", "The server cannot be reached from here."),
    State.PRIVATE: (
        "link_private",
        "“{url}” is not public",
        "It leads into a private network; readers cannot open it.",
    ),
}


def find(examined: Examined) -> Iterator[Finding]:
    """Find buttons without an address, incomplete addresses, plain http, and what did not answer well."""
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
    yield from _answers(examined)


def _shown(url: str) -> str:
    return url if len(url) <= 80 else f"{url[:77]}…"


def _judge(url: str, examined: Examined, where: str) -> Iterator[Finding]:
    if url.startswith(("mailto:", "tel:", "{{")):
        return
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
    except ValueError:
        host, parts = "", None
    if parts is None or parts.scheme not in ("http", "https") or not host:
        yield Finding(
            "link_broken",
            Severity.BLOCK,
            f"“{_shown(url)}”{where} is not a complete address",
            examined.composer,
            detail="A link begins with https://.",
        )
        return
    if PLACEHOLDER_HOST.search(host) and not examined.workspace.is_demo:
        yield Finding(
            "link_placeholder",
            Severity.WARN,
            f"“{_shown(url)}”{where} looks like a placeholder",
            examined.composer,
            detail="Addresses such as example.com belong to nobody.",
        )
    if parts.scheme == "http":
        yield Finding(
            "link_http",
            Severity.WARN,
            f"“{_shown(url)}”{where} is not encrypted",
            examined.composer,
            detail="Use https: browsers warn about plain http, and filters count it.",
        )


def _answers(examined: Examined) -> Iterator[Finding]:
    answers = examined.answers
    if len(answers) > 1 and all(answer.state is State.SILENT for answer in answers.values()):
        yield Finding(
            "links_unchecked",
            Severity.INFO,
            "The links could not be tried",
            examined.review,
            detail="No address answered, so this machine has probably no way to the internet.",
        )
        return
    for url, answer in answers.items():
        if answer.state in _ANSWERS:
            code, message, detail = _ANSWERS[answer.state]
            words = message.format(url=_shown(url), status=answer.status)
            yield Finding(code, Severity.WARN, words, examined.composer, detail=detail)
