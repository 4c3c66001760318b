"""Blocks -> MJML -> HTML that every mail program shows the same way.

MJML (https://documentation.mjml.io) knows the tables and conditional comments that Outlook needs; `mrml` renders it in
well under a millisecond. Merge tags pass through untouched: rendering happens once, filling in per recipient.
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import mrml

from campaigns.content.blocks import NETWORK_NAMES, Block
from campaigns.content.brand import Brand
from pulsequill.core.errors import FieldError, Invalid

_HEADING_SIZES = {1: 32, 2: 24, 3: 18}
#: Sections keep 20 pixels at the sides and what stands in them 12: columns are 24 apart, and all edges align at 32.
_SIDES = "20px"
_PADDING = "8px 12px"
_CORNER = "14px"
#: Keeps mail programs from showing the first words of the body behind the preview text.
_PREVIEW_PADDING = "&#847;&zwnj;&nbsp;" * 40
_LOGO_WIDTH = 140

#: No fonts: by default mrml links style sheets of Google's for the font names that it knows.
_RENDERING = mrml.RenderOptions(fonts={})


def _attribute(text: str) -> str:
    return escape(text, quote=True)


def _attributes(**values: Any) -> str:
    """Return MJML attributes; empty ones are left out."""
    return "".join(
        f' {name.replace("_", "-")}="{_attribute(str(value))}"'
        for name, value in values.items()
        if value not in ("", None)
    )


def _rich(markup: str, brand: Brand) -> str:
    """Return rich text with the paragraphs' and links' look spelled out: many programs ignore style sheets."""
    markup = markup.replace("<p>", '<p style="margin:0 0 12px">')
    for tag in ("ul", "ol"):
        markup = markup.replace(f"<{tag}>", f'<{tag} style="margin:0 0 12px;padding-left:24px">')
    return markup.replace("<a href", f'<a style="color:{brand.accent};text-decoration:underline" class="pq-link" href')


def _heading(block: Block, _brand: Brand) -> str:
    level = block["level"]
    style = f"margin:0;font-size:{_HEADING_SIZES[level]}px;line-height:1.25;font-weight:700;letter-spacing:-0.01em"
    words = escape(block["text"], quote=False)
    return (
        f'<mj-text css-class="pq-ink" align="{block["align"]}" padding="12px 12px 4px">'
        f'<h{level} style="{style}">{words}</h{level}></mj-text>'
    )


def _text(block: Block, brand: Brand) -> str:
    return f'<mj-text css-class="pq-ink" align="{block["align"]}">{_rich(block["html"], brand)}</mj-text>'


def _button(block: Block, brand: Brand) -> str:
    if not block["label"]:
        return ""
    look = _attributes(href=block["url"], align=block["align"], background_color=brand.accent, color=brand.on_accent)
    return f'<mj-button css-class="pq-button"{look}>{escape(block["label"], quote=False)}</mj-button>'


def _image(block: Block, _brand: Brand) -> str:
    if not block["src"]:
        return ""
    look = _attributes(src=block["src"], href=block["href"], align=block["align"])
    return f'<mj-image fluid-on-mobile="true" alt="{_attribute(block["alt"])}"{look} />'


def _opening_picture(block: Block, brand: Brand, corners: str) -> str:
    """Return the picture that a mail opens with: from edge to edge of the sheet."""
    look = _attributes(src=block["src"], href=block["href"], padding="0", border_radius=corners)
    picture = f'<mj-image fluid-on-mobile="true" alt="{_attribute(block["alt"])}"{look} />'
    return _section([picture], brand, padding="0 0 12px", border_radius=corners)


def _divider(_block: Block, brand: Brand) -> str:
    return f'<mj-divider css-class="pq-line" border-width="1px" border-color="{brand.line}" />'


def _spacer(block: Block, _brand: Brand) -> str:
    return f'<mj-spacer height="{block["height"]}px" />'


def _quote(block: Block, brand: Brand) -> str:
    who = ""
    if block["attribution"]:
        look = f"margin:0;padding-left:19px;color:{brand.muted};font-size:14px"
        who = f'<p class="pq-muted" style="{look}">{escape(block["attribution"], quote=False)}</p>'
    return (
        '<mj-text css-class="pq-ink" padding="12px" font-size="18px">'
        f'<div style="border-left:3px solid {brand.accent};padding-left:16px;font-style:italic">'
        f"{_rich(block['html'], brand)}</div>{who}</mj-text>"
    )


def _social(block: Block, brand: Brand) -> str:
    links = [link for link in block["links"] if link["url"]]
    if not links:
        return ""
    words = " &nbsp;·&nbsp; ".join(
        f'<a class="pq-link" style="color:{brand.accent}" href="{_attribute(link["url"])}">'
        f"{NETWORK_NAMES[link['network']]}</a>"
        for link in links
    )
    return f'<mj-text css-class="pq-ink" align="center" font-size="14px">{words}</mj-text>'


def _product(block: Block, brand: Brand) -> str:
    picture = {"src": block["image"], "alt": block["title"], "href": block["url"], "align": "center"}
    words = [f'<h3 style="margin:0 0 4px;font-size:18px;line-height:1.3">{escape(block["title"], quote=False)}</h3>']
    if block["text"]:
        words.append(f'<p style="margin:0 0 6px">{escape(block["text"], quote=False)}</p>')
    if block["price"]:
        words.append(f'<p style="margin:0;font-weight:700">{escape(block["price"], quote=False)}</p>')
    button = {"label": block["label"], "url": block["url"], "align": "left"}
    return (
        _image(picture, brand)
        + f'<mj-text css-class="pq-ink" padding="12px 12px 4px">{"".join(words)}</mj-text>'
        + _button(button, brand)
    )


def _html(block: Block, _brand: Brand) -> str:
    return f'<mj-text css-class="pq-ink">{block["html"]}</mj-text>' if block["html"] else ""


_RENDERERS: dict[str, Callable[[Block, Brand], str]] = {
    "heading": _heading,
    "text": _text,
    "button": _button,
    "image": _image,
    "divider": _divider,
    "spacer": _spacer,
    "quote": _quote,
    "social": _social,
    "product": _product,
    "html": _html,
}


def _section(columns: list[str], brand: Brand, **look: Any) -> str:
    inner = "".join(f"<mj-column>{column}</mj-column>" for column in columns)
    return (
        f'<mj-section css-class="pq-sheet" background-color="{brand.surface}"{_attributes(**look)}>{inner}</mj-section>'
    )


def _sections(blocks: list[Block], brand: Brand) -> str:
    """Return the body: neighbours share one section, columns have their own."""
    out: list[str] = []
    run: list[str] = []
    for block in blocks:
        if block["type"] != "columns":
            run.append(_RENDERERS[block["type"]](block, brand))
            continue
        if run:
            out.append(_section(["".join(run)], brand, padding=f"0 {_SIDES}"))
            run = []
        columns = ["".join(_RENDERERS[inner["type"]](inner, brand) for inner in column) for column in block["columns"]]
        out.append(_section(columns, brand, padding=f"4px {_SIDES}"))
    if run:
        out.append(_section(["".join(run)], brand, padding=f"0 {_SIDES}"))
    return "".join(out)


def footer_markup(brand: Brand) -> str:
    """Return the workspace footer as HTML with merge tags: why, who, where, and the way out."""
    link = f'style="color:{brand.muted};text-decoration:underline"'
    return (
        "{{#workspace.reason_line}}{{workspace.reason_line}}<br />{{/workspace.reason_line}}"
        "{{workspace.name}}"
        "{{#workspace.postal_address}}, {{workspace.postal_address}}{{/workspace.postal_address}}<br />"
        f'<a {link} href="{{{{{{unsubscribe_url}}}}}}">Unsubscribe</a> &nbsp;·&nbsp; '
        f'<a {link} href="{{{{{{preferences_url}}}}}}">Preferences</a>'
    )


def _footer(brand: Brand) -> str:
    """Return the footer: below the sheet, on the mail's own ground."""
    return (
        f'<mj-section padding="12px {_SIDES} 0"><mj-column><mj-text css-class="pq-muted" color="{brand.muted}" '
        f'font-size="12px" line-height="1.6">{footer_markup(brand)}</mj-text></mj-column></mj-section>'
    )


def _dark_style() -> str:
    """Return the rules for readers who prefer dark; Outlook's own classes included."""
    rules = (
        "{0}body,{0}.pq-body{{background:#15131b !important;background-color:#15131b !important}}"
        "{0}.pq-sheet,{0}.pq-sheet>table{{background:#201d28 !important;background-color:#201d28 !important}}"
        "{0}.pq-ink,{0}.pq-ink *{{color:#eeecf4 !important}}"
        "{0}.pq-muted,{0}.pq-muted *{{color:#b9b4c6 !important}}"
        "{0}.pq-ink .pq-link{{color:#c3b5ff !important}}"
        "{0}.pq-line p{{border-top-color:#3d394a !important}}"
    )
    return f"@media (prefers-color-scheme:dark){{{rules.format('')}}}{rules.format('[data-ogsc] ')}"


def _logo(brand: Brand) -> str:
    """Return what stands above the mail, or ''."""
    if brand.logo_url:
        look = _attributes(src=brand.logo_url, alt=brand.logo_alt, width=f"{_LOGO_WIDTH}px", align="left")
        return f'<mj-image{look} padding="8px 12px" />'
    if brand.logo_text:
        mark = f'<mj-text css-class="pq-ink" color="{brand.ink}" font-size="16px" font-weight="700"'
        return f'{mark} letter-spacing="-0.2px">{escape(brand.logo_text, quote=False)}</mj-text>'
    return ""


def _sheet(blocks: list[Block], brand: Brand) -> str:
    """Return logo and body on one sheet with round corners."""
    top, logo = f"{_CORNER} {_CORNER} 0 0", _logo(brand)
    out = []
    if logo:
        out.append(_section([logo], brand, padding=f"16px {_SIDES} 12px", border_radius=top))
    if blocks and blocks[0]["type"] == "image" and blocks[0]["src"]:
        out.append(_opening_picture(blocks[0], brand, "0" if logo else top))
        blocks = blocks[1:]
    elif not logo:
        out.append(_section([""], brand, padding="12px 0 0", border_radius=top))
    out.append(_sections(blocks, brand))
    out.append(_section([""], brand, padding="16px 0 0", border_radius=f"0 0 {_CORNER} {_CORNER}"))
    return "".join(out)


def _document(body: str, *, brand: Brand, title: str, preview_text: str, language: str) -> str:
    preview = f"<mj-preview>{escape(preview_text, quote=False)}{_PREVIEW_PADDING}</mj-preview>" if preview_text else ""
    return (
        f'<mjml lang="{_attribute(language)}"><mj-head><mj-title>{escape(title, quote=False)}</mj-title>{preview}'
        "<mj-attributes>"
        f'<mj-all font-family="{_attribute(brand.font_family)}" />'
        f'<mj-text padding="{_PADDING}" font-size="16px" line-height="1.6" color="{brand.ink}" />'
        '<mj-button padding="12px" inner-padding="13px 26px" border-radius="8px" font-size="16px" '
        'font-weight="600" />'
        f'<mj-image padding="{_PADDING}" border-radius="8px" /><mj-divider padding="16px 12px" />'
        "</mj-attributes>"
        f"<mj-style>:root{{color-scheme:light dark;supported-color-schemes:light dark}}{_dark_style()}</mj-style>"
        '<mj-raw><meta name="color-scheme" content="light dark" />'
        '<meta name="supported-color-schemes" content="light dark" />'
        # iOS would shrink the columns and turn dates and numbers into links of its own.
        '<meta name="x-apple-disable-message-reformatting" />'
        '<meta name="format-detection" content="telephone=no,date=no,address=no,email=no,url=no" /></mj-raw></mj-head>'
        f'<mj-body css-class="pq-body" background-color="{brand.background}" width="600px">'
        f'<mj-spacer height="24px" />{body}<mj-spacer height="24px" /></mj-body></mjml>'
    )


def blocks_to_mjml(
    blocks: list[Block], *, brand: Brand, title: str, preview_text: str, has_footer: bool, language: str = "en"
) -> str:
    """Return the MJML document of a validated body.

    Args:
        blocks: what `validate_blocks` returned.
        brand: the workspace's look.
        title: the subject; screen readers announce it.
        preview_text: what inboxes show beside the subject; '' for none.
        has_footer: whether the workspace footer is appended.
        language: BCP 47 tag of the text.
    """
    body = _sheet(blocks, brand) + (_footer(brand) if has_footer else "")
    return _document(body, brand=brand, title=title, preview_text=preview_text, language=language)


def article_to_mjml(
    markup: str, *, brand: Brand, title: str, preview_text: str, has_footer: bool, language: str = "en"
) -> str:
    """Return the MJML document of one sanitised piece of HTML, such as Markdown becomes."""
    article: Block = {"type": "html", "html": _rich(markup, brand)}
    body = _sheet([article], brand) + (_footer(brand) if has_footer else "")
    return _document(body, brand=brand, title=title, preview_text=preview_text, language=language)


def mjml_to_html(source: str) -> str:
    """Return the HTML of an MJML document.

    Raises:
        Invalid: mrml could not read the document.
    """
    try:
        return str(mrml.to_html(source, None, _RENDERING).content)
    except OSError as error:
        message = f"The MJML could not be read: {error}."
        raise Invalid(message, code="bad_mjml", errors=[FieldError("body", "bad_mjml", message)]) from error
