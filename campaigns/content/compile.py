"""From a variant as it is written to what is sent: the one compile step of preview, test send and delivery.

The result is frozen Mustache source. Whatever is the same for all recipients happens here, once.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any

import css_inline

from accounts.models import Workspace
from campaigns.content import mjml, mustache, text
from campaigns.content.article import markdown_to_html
from campaigns.content.blocks import used_tags, validate_blocks
from campaigns.content.brand import Brand
from campaigns.content.links import LinkTable, fill_utm
from campaigns.content.mjml_source import check_mjml
from campaigns.content.sanitising import clean_mail_html, clean_stylesheet, without_control_characters
from campaigns.models import Campaign, Variant
from pulsequill.core.errors import FieldError, Invalid

OPEN_PIXEL = "{{{pq_open_pixel}}}"
#: A link that no person can follow, for machines that fetch every address of a mail. It holds nothing, so there is
#: nothing to see, to read out or to press, in any program and without any style; what asks for the next link with the
#: keyboard, or reads links out, is told to pass it over.
HONEYPOT = '<a href="{{{{{{pq_link_{position}}}}}}}" tabindex="-1" aria-hidden="true"></a>'

_STYLE = re.compile(r"<style\b[^>]*>(.*?)</style>", re.IGNORECASE | re.DOTALL)
_BODY_END = re.compile(r"</body>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Compiled:
    """What is frozen at launch. `subject`, `preview_text` and `text` are unescaped Mustache, `html` escaped."""

    subject: str
    preview_text: str
    html: str
    text: str
    links: list[str]
    content_hash: str
    tags: frozenset[str]
    #: Where the link that is hidden from people leads, `{{{pq_link_n}}}` after the last of `links`; "" without one.
    honeypot: str = ""


@dataclass(frozen=True, slots=True)
class _Body:
    """One format's result before links: HTML, text, and whether the footer is in."""

    html: str
    text: str


@dataclass(frozen=True, slots=True)
class _Source:
    body: Any
    subject: str
    preview_text: str
    brand: Brand
    #: Whether a body without an unsubscribe link gets the workspace footer.
    wants_footer: bool


def _with_text_footer(words: str, has_footer: bool) -> str:
    return f"{words}\n\n{text.FOOTER}" if has_footer else f"{words}\n"


def _string_body(body: Any) -> str:
    if not isinstance(body, str):
        raise Invalid(
            "The body of this format must be text.",
            code="invalid_body",
            errors=[FieldError("body", "not_text", "The body of this format must be text.")],
        )
    return without_control_characters(body)


def _from_blocks(source: _Source) -> _Body:
    blocks = validate_blocks(source.body)
    has_footer = source.wants_footer and "unsubscribe_url" not in used_tags(blocks)
    document = mjml.blocks_to_mjml(
        blocks, brand=source.brand, title=source.subject, preview_text=source.preview_text, has_footer=has_footer
    )
    return _Body(mjml.mjml_to_html(document), _with_text_footer(text.blocks_to_text(blocks), has_footer))


def _from_markdown(source: _Source) -> _Body:
    written = _string_body(source.body)
    mustache.validate(written, field="body")
    markup = markdown_to_html(written)
    has_footer = source.wants_footer and "unsubscribe_url" not in mustache.validate(markup, field="body")
    document = mjml.article_to_mjml(
        markup, brand=source.brand, title=source.subject, preview_text=source.preview_text, has_footer=has_footer
    )
    return _Body(mjml.mjml_to_html(document), _with_text_footer(text.rich_to_text(markup), has_footer))


def _from_mjml(source: _Source) -> _Body:
    written = _string_body(source.body)
    tags = mustache.validate(written, field="body")
    check_mjml(written)
    html = mjml.mjml_to_html(written)
    words = text.html_to_text(html)
    return _finish_foreign(html, words, source, has_footer="unsubscribe_url" not in tags)


def _from_html(source: _Source) -> _Body:
    written = _string_body(source.body)
    tags = mustache.validate(written, field="body")
    styles = "\n".join(clean_stylesheet(css) for css in _STYLE.findall(written))
    try:
        inlined = (
            css_inline.inline(written, keep_style_tags=False, load_remote_stylesheets=False) if styles else written
        )
    except css_inline.InlineError as error:
        raise Invalid(f"The style sheet could not be read: {error}.", code="bad_css") from error
    inner = clean_mail_html(inlined, keeps_outlook=True)
    kept = f"<style>{styles}</style>" if "@media" in styles else ""
    html = (
        '<!doctype html><html lang="en"><head><meta http-equiv="Content-Type" content="text/html; charset=UTF-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(source.subject, quote=False)}</title>{kept}</head><body>{inner}</body></html>"
    )
    return _finish_foreign(html, text.html_to_text(inner), source, has_footer="unsubscribe_url" not in tags)


def _finish_foreign(html: str, words: str, source: _Source, *, has_footer: bool) -> _Body:
    """Give mail that somebody brought its preview text and, when it has no way out, the workspace footer."""
    if source.preview_text:
        hidden = (
            f'<div style="display:none;max-height:0;overflow:hidden">{escape(source.preview_text, quote=False)}</div>'
        )
        html = re.sub(r"(<body\b[^>]*>)", lambda found: found[1] + hidden, html, count=1, flags=re.IGNORECASE)
    if has_footer and source.wants_footer:
        brand = source.brand
        look = f"padding:24px 16px;font:12px/1.6 Arial,sans-serif;color:{brand.muted};text-align:center"
        html = _before_body_end(html, f'<div style="{look}">{mjml.footer_markup(brand)}</div>')
    return _Body(html, _with_text_footer(words, has_footer and source.wants_footer))


def _before_body_end(html: str, addition: str) -> str:
    ends = list(_BODY_END.finditer(html))
    at = ends[-1].start() if ends else len(html)
    return html[:at] + addition + html[at:]


_FORMATS: dict[str, Callable[[_Source], _Body]] = {
    Variant.Format.BLOCKS: _from_blocks,
    Variant.Format.MARKDOWN: _from_markdown,
    Variant.Format.MJML: _from_mjml,
    Variant.Format.HTML: _from_html,
}


def compile_variant(
    *,
    variant: Variant,
    campaign: Campaign,
    workspace: Workspace,
    has_tracking: bool = True,
    wants_footer: bool = True,
) -> Compiled:
    """Return the frozen Mustache source of a variant.

    Args:
        variant: subject, preview text and body as written; need not be saved.
        campaign: tracking switches and campaign parameters.
        workspace: brand and footer.
        has_tracking: False keeps every link as written and leaves the pixel out: previews.
        wants_footer: False for mail that is no marketing: nothing is added to a body without an unsubscribe link.

    Returns:
        With click tracking, `links[n]` is what `{{{pq_link_n}}}` stands for in `html` and `text`.

    Raises:
        Invalid: the body, subject or preview text is not valid; `errors` and `line`/`column` say where.
    """
    mustache.validate(variant.subject, field="subject")
    mustache.validate(variant.preview_text, field="preview_text")
    mustache.validate(variant.text, field="text")
    source = _Source(variant.body, variant.subject, variant.preview_text, Brand.of(workspace.brand), wants_footer)
    body = _FORMATS[variant.format](source)
    words = body.text
    if variant.text.strip():
        has_way_out = "unsubscribe_url" in mustache.validate(variant.text)
        words = _with_text_footer(variant.text.strip(), wants_footer and not has_way_out)

    values = {"campaign.name": campaign.name, "variant.label": variant.label, "workspace.name": workspace.name}
    utm = fill_utm(campaign.utm or {}, values)
    table = LinkTable(utm=utm, is_tracked=has_tracking and campaign.track_clicks)
    html = table.in_html(body.html)
    words = table.in_text(mustache.unescaped(words))
    honeypot = table.urls[0] if table.urls else ""
    if honeypot:  # whoever gets there all the same is where the mail leads
        html = _before_body_end(html, HONEYPOT.format(position=len(table.urls)))
    if has_tracking and campaign.track_opens:
        html = _before_body_end(html, OPEN_PIXEL)
    subject, preview_text = mustache.unescaped(variant.subject), mustache.unescaped(variant.preview_text)
    tags: frozenset[str] = frozenset().union(
        *(mustache.compile(part).tags for part in (subject, preview_text, html, words))
    )
    frozen = json.dumps([subject, preview_text, html, words, table.urls], ensure_ascii=True)
    return Compiled(
        subject=subject,
        preview_text=preview_text,
        html=html,
        text=words,
        links=table.urls,
        content_hash=hashlib.sha256(frozen.encode("ascii")).hexdigest(),
        tags=frozenset(tag for tag in tags if not tag.startswith(mustache.RESERVED_PREFIX)),
        honeypot=honeypot,
    )
