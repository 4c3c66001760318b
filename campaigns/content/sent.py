"""A mail as it was frozen at launch, to be looked at afterwards: fallbacks for personal values, and nothing is counted.

A click map is the same mail with a badge on each tracked link. The badges are put into the markup here, on the server,
because the frame that shows the mail runs no scripts and cannot be reached from the page around it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from campaigns.content import mustache
from campaigns.content.preview import one_line
from campaigns.models import Variant

LINK_TAG = "pq_link_{}"
#: Where every link of a click map leads: nowhere. Looking at a report opens no page of anybody.
NOWHERE = "#"
#: Outlook's own markup stands in comments; nothing there is seen by a browser.
_LINK = re.compile(
    r"<!--.*?-->|(?P<open><a\b[^<>]*?\shref=(?P<quote>[\"'])\{\{\{pq_link_(?P<position>\d+)\}\}\}(?P=quote)[^<>]*>)",
    re.IGNORECASE | re.DOTALL,
)
#: Paper and ink of a badge, from cold to hot; each pair has a contrast of at least 4.5.
HEATS: tuple[tuple[str, str], ...] = (
    ("#ffffff", "#1c1925"),
    ("#e6e0fb", "#1c1925"),
    ("#bdaef0", "#1c1925"),
    ("#6d50c8", "#ffffff"),
    ("#3b2596", "#ffffff"),
)
#: `all: initial` first: the mail's own styles must not reach a badge. The outer box has no size, so nothing moves.
_ANCHOR = "all:initial;position:relative;display:inline-block;width:0;height:0;vertical-align:top"
_BADGE = (
    "all:initial;position:absolute;left:-4px;top:-20px;z-index:9;padding:1px 7px;border-radius:9px;"
    "border:1px solid #3b2596;font:600 11px/16px Arial,sans-serif;white-space:nowrap;background:{paper};color:{ink}"
)


@dataclass(frozen=True, slots=True)
class Mark:
    """What a click map says at one link: a short text, and how hot it is (an index of `HEATS`)."""

    text: str
    heat: int


@dataclass(frozen=True, slots=True)
class SentMail:
    """What left. `size_bytes` is of the HTML with its plain addresses; tracked ones make each mail a little larger."""

    subject: str
    preview_text: str
    html: str
    text: str
    size_bytes: int


def render_sent(
    variant: Variant, *, context: Mapping[str, str], urls: Mapping[int, str], marks: Mapping[int, Mark] | None = None
) -> SentMail:
    """Return a frozen variant with its values filled in.

    Args:
        variant: of a campaign that was launched.
        context: merge tags and system addresses.
        urls: where the tracked links lead, by position.
        marks: badges by position of the link; links lead nowhere then.

    Raises:
        Invalid: the frozen source cannot be rendered (it is too large for one page).
    """
    source = variant.compiled_html if marks is None else with_marks(variant.compiled_html, marks)
    targets = {LINK_TAG.format(at): url if marks is None else NOWHERE for at, url in urls.items()}
    values = {**context, **targets}
    in_html = {**context, **{name: escape(url, quote=True) for name, url in targets.items()}}
    html = mustache.compile(source).render(in_html)
    return SentMail(
        subject=one_line(mustache.compile(mustache.unescaped(variant.subject)).render(values)),
        preview_text=one_line(mustache.compile(mustache.unescaped(variant.preview_text)).render(values)),
        html=html,
        text=mustache.compile(variant.compiled_text).render(values),
        size_bytes=len(html.encode()),
    )


def with_marks(source: str, marks: Mapping[int, Mark]) -> str:
    """Return frozen HTML with a badge inside each tracked link that has a mark."""

    def add(found: re.Match[str]) -> str:
        opening = found["open"]
        mark = marks.get(int(found["position"])) if opening else None
        if mark is None:
            return found[0]
        paper, ink = HEATS[mark.heat]
        badge = _BADGE.format(paper=paper, ink=ink)
        return f'{opening}<span style="{_ANCHOR}"><span style="{badge}">{escape(mark.text)}</span></span>'

    return _LINK.sub(add, source)
