"""What HTML people (and models) may put into a mail: explicit allow-lists, applied by nh3.

nh3's defaults would ruin mail (they drop `style`, `bgcolor` and `<style>`), so nothing here relies on them.
"""

from __future__ import annotations

import re
from collections import Counter

import nh3

from aiwriter.guardrails.hidden import without_hidden
from pulsequill.core.errors import Invalid

SCHEMES = frozenset({"http", "https", "mailto", "tel"})

#: Inline rich text of text and quote blocks.
INLINE_TAGS = frozenset({"p", "br", "strong", "em", "u", "s", "a", "ul", "ol", "li"})
_INLINE_SYNONYMS = {"b": "strong", "i": "em", "del": "s", "strike": "s", "div": "p"}
_SYNONYM = re.compile(rf"<(/?)({'|'.join(_INLINE_SYNONYMS)})(?=[\s>/])", re.IGNORECASE)

#: What Markdown may turn into.
ARTICLE_TAGS = INLINE_TAGS | {"h1", "h2", "h3", "h4", "hr", "blockquote", "code", "pre", "img"}

#: HTML that people bring along: tables and the attributes that mail programs understand.
MAIL_TAGS = ARTICLE_TAGS | {
    "table", "thead", "tbody", "tfoot", "tr", "td", "th", "caption", "colgroup", "col", "div", "span", "center", "font",
    "b", "i", "small", "sub", "sup", "h5", "h6", "dl", "dt", "dd", "figure", "figcaption", "section", "article",
    "header", "footer", "main", "abbr", "del", "ins",
}  # fmt: skip
MAIL_ATTRIBUTES = {
    "*": {"align", "valign", "bgcolor", "width", "height", "style", "class", "id", "dir", "lang", "role", "title",
          "aria-hidden", "aria-label"},
    "a": {"href", "name", "target"},
    "img": {"src", "alt", "border"},
    "table": {"border", "cellpadding", "cellspacing", "background"},
    "td": {"colspan", "rowspan", "nowrap", "background"},
    "th": {"colspan", "rowspan", "scope", "nowrap"},
    "col": {"span"},
    "ol": {"start", "type"},
    "ul": {"type"},
    "font": {"color", "face", "size"},
}  # fmt: skip
#: Style properties that only change how a thing looks where it stands; nothing that loads, overlays or runs.
MAIL_STYLES = frozenset(
    prefix + end
    for prefix, ends in {
        "": "color opacity display width height max-width min-width max-height min-height margin padding border float "
            "clear overflow direction",
        "background": " -color",
        "font": " -family -size -style -weight -variant",
        "text-": "align decoration indent transform shadow overflow",
        "margin-": "top right bottom left",
        "padding-": "top right bottom left",
        "border-": "top right bottom left color style width radius collapse spacing top-color right-color bottom-color "
                   "left-color top-width right-width bottom-width left-width top-style right-style bottom-style "
                   "left-style top-left-radius top-right-radius bottom-left-radius bottom-right-radius",
        "line-": "height",
        "letter-": "spacing",
        "word-": "spacing break wrap",
        "vertical-": "align",
        "white-": "space",
        "list-style": " -type -position",
        "table-": "layout",
        "box-": "sizing shadow",
        "mso-": "line-height-rule table-lspace table-rspace padding-alt hide",
        "-webkit-": "text-size-adjust font-smoothing",
        "-ms-": "text-size-adjust interpolation-mode",
    }.items()
    for end in ends.split(" ")
)  # fmt: skip
_FORGOTTEN = {"script", "style", "title", "template", "noscript", "iframe", "object", "svg", "math"}

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
#: `<!--[if mso]>…<![endif]-->`, and the two halves around what every other program shows.
_OUTLOOK = re.compile(r"<!--\[if [^\]<>]{1,60}\]>(.*<!\[endif\]|<!)?-->|<!--<!\[endif\]-->", re.DOTALL | re.IGNORECASE)
_OUTLOOK_DANGER = re.compile(
    r"<\s*/?\s*(script|iframe|object|embed|form|input|link|base|meta|applet)\b|\son[a-z]+\s*=|javascript\s*:|vbscript\s*:"
    r"|@import|expression\s*\(",
    re.IGNORECASE,
)

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_CSS_DANGER = re.compile(r"@import|expression\s*\(|javascript:|behavior\s*:|-moz-binding|<|\\", re.IGNORECASE)
_CSS_URL = re.compile(r"url\(\s*['\"]?(?!https://)[^)]*\)", re.IGNORECASE)


#: Deeper trees are no mail; an HTML parser's time grows with the square of the depth.
MAX_DEPTH = 200
MAX_ELEMENTS = 20_000
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9:-]*)")
#: Elements that end by themselves, so a page full of them is flat.
_ENDLESS = frozenset({
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr", "p",
    "li", "dt", "dd", "td", "th", "tr", "thead", "tbody", "tfoot", "option", "optgroup", "colgroup", "html", "head",
    "body",
})  # fmt: skip


def refuse_monsters(markup: str) -> None:
    """Refuse HTML that would keep a parser busy for minutes, in time that grows with its length only.

    Raises:
        Invalid: `not_a_mail`, with `line` and `column`.
    """
    is_open: Counter[str] = Counter()
    depth = 0
    for number, found in enumerate(_TAG.finditer(markup)):
        name = found[2].lower()
        reason = f"more than {MAX_ELEMENTS:,} elements" if number >= 2 * MAX_ELEMENTS else ""
        if name not in _ENDLESS:
            step = 1 if not found[1] else -1 if is_open[name] else 0
            is_open[name] += step
            depth += step
            if depth > MAX_DEPTH:
                reason = f"more than {MAX_DEPTH} elements inside one another"
        if reason:
            line = markup.count("\n", 0, found.start()) + 1
            column = found.start() - markup.rfind("\n", 0, found.start())
            detail = f"Line {line}, column {column}: {reason}. That is no mail."
            raise Invalid(detail, code="not_a_mail", line=line, column=column)


def without_control_characters(text: str) -> str:
    """Return `text` without the characters that neither PostgreSQL, XML nor a mail header can hold."""
    return _CONTROL.sub("", text)


def clean_inline(markup: str) -> str:
    """Return rich text with nothing but the inline allow-list; merge tags stay as they are.

    Words that styles hide go too: without the styles everybody would read them.
    """
    refuse_monsters(markup)
    seen, hides_words = without_hidden(markup)
    renamed = _SYNONYM.sub(
        lambda found: f"<{found[1]}{_INLINE_SYNONYMS[found[2].lower()]}", seen if hides_words else markup
    )
    return nh3.clean(
        without_control_characters(renamed),
        tags=set(INLINE_TAGS),
        attributes={"a": {"href"}},
        clean_content_tags=_FORGOTTEN,
        url_schemes=set(SCHEMES),
        link_rel=None,
    )


def clean_article(markup: str) -> str:
    """Return HTML made from Markdown, held to what Markdown can say."""
    refuse_monsters(markup)
    return nh3.clean(
        without_control_characters(markup),
        tags=set(ARTICLE_TAGS),
        attributes={"a": {"href"}, "img": {"src", "alt"}, "ol": {"start"}},
        clean_content_tags=_FORGOTTEN,
        url_schemes=set(SCHEMES),
        link_rel=None,
    )


def clean_mail_html(markup: str, *, keeps_outlook: bool = False) -> str:
    """Return the body of an imported mail: tables and inline styles stay, whatever loads or runs goes.

    Args:
        markup: HTML that people brought.
        keeps_outlook: keep conditional comments, which only Outlook for Windows reads.
    """
    refuse_monsters(markup)
    cleaned = nh3.clean(
        without_control_characters(markup),
        tags=set(MAIL_TAGS),
        attributes={tag: set(names) for tag, names in MAIL_ATTRIBUTES.items()},
        clean_content_tags=_FORGOTTEN,
        filter_style_properties=set(MAIL_STYLES),
        url_schemes=set(SCHEMES),
        link_rel=None,
        strip_comments=not keeps_outlook,
    )
    return _COMMENT.sub(_outlook_only, cleaned) if keeps_outlook else cleaned


def _outlook_only(comment: re.Match[str]) -> str:
    """Return a conditional comment that holds nothing but markup for showing, and '' for every other comment."""
    is_conditional = _OUTLOOK.fullmatch(comment[0])
    return comment[0] if is_conditional and not _OUTLOOK_DANGER.search(comment[0]) else ""


def clean_stylesheet(css: str) -> str:
    """Return a `<style>` text without imports, scripts and pictures that are not fetched by https; '' when in doubt."""
    css = without_control_characters(css)
    if _CSS_DANGER.search(css):
        return ""
    return _CSS_URL.sub("none", css)
